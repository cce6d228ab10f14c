#include "http/errors.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace onceward::http {

namespace {

constexpr auto last_error = parse_error::too_many_interim_responses;

TEST(parse_error, has_a_description_with_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i <= static_cast<unsigned>(last_error); ++i) {
    const auto& description = describe(static_cast<parse_error>(i));
    EXPECT_TRUE(names.insert(description.name).second) << description.name;
    EXPECT_TRUE(description.detail.ends_with('.')) << description.name;
  }
}

TEST(parse_error, has_one_type_for_each_status) {
  const std::set<std::pair<int, std::string_view>> expected = {
      {400, "bad-request"},
      {413, "too-large"},
      {414, "uri-too-long"},
      {417, "expectation-failed"},
      {431, "header-fields-too-large"},
      {501, "not-implemented"},
      {502, "bad-response"},
      {505, "version-not-supported"},
  };
  std::set<std::pair<int, std::string_view>> found;
  for (unsigned i = 0; i <= static_cast<unsigned>(last_error); ++i) {
    const auto& description = describe(static_cast<parse_error>(i));
    found.emplace(description.status, description.type);
  }
  EXPECT_EQ(found, expected);
}

TEST(parse_error, has_the_published_status) {
  EXPECT_EQ(status_of(parse_error::method_too_long), 501);
  EXPECT_EQ(status_of(parse_error::target_too_long), 414);
  EXPECT_EQ(status_of(parse_error::version_unsupported), 505);
  EXPECT_EQ(status_of(parse_error::http2_preface), 505);
  EXPECT_EQ(status_of(parse_error::head_too_large), 431);
  EXPECT_EQ(status_of(parse_error::too_many_fields), 431);
  EXPECT_EQ(status_of(parse_error::trailers_too_large), 431);
  EXPECT_EQ(status_of(parse_error::body_too_large), 413);
  EXPECT_EQ(status_of(parse_error::transfer_encoding_unsupported), 501);
  EXPECT_EQ(status_of(parse_error::expectation_unsupported), 417);
  EXPECT_EQ(status_of(parse_error::expectation_malformed), 400);
  EXPECT_EQ(status_of(parse_error::host_missing), 400);
  EXPECT_EQ(status_of(parse_error::transfer_encoding_and_content_length), 400);
}

}  // namespace

}  // namespace onceward::http
