#include "stores/postgres/parameters.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <string>

namespace onceward::postgres {
namespace {

using namespace std::chrono_literals;

std::string value(const parameters& of, std::size_t place) {
  return {of.values()[place], static_cast<std::size_t>(of.lengths()[place])};
}

TEST(parameters, writes_a_number_with_its_most_significant_byte_first) {
  parameters made;
  made.add(std::int64_t{0x0102030405060708});
  made.add(-1ms);
  EXPECT_EQ(value(made, 0), "\1\2\3\4\5\6\7\10");
  EXPECT_EQ(value(made, 1), std::string(8, '\xff'));
}

TEST(parameters, keeps_an_empty_blob_apart_from_none) {
  parameters made;
  made.add(std::make_shared<const std::string>());
  made.add(shared_bytes());
  EXPECT_NE(made.values()[0], nullptr);
  EXPECT_EQ(made.lengths()[0], 0);
  EXPECT_EQ(made.values()[1], nullptr);
}

TEST(parameters, are_as_many_as_their_statement_has) {
  const auto blob = std::make_shared<const std::string>("blob");
  const auto expect_all_typed = [](const auto& command) {
    parameters made;
    const statement which = encode(command, made);
    EXPECT_EQ(static_cast<std::size_t>(made.count()), types_of(which).size()) << name_of(which);
    EXPECT_NE(text_of(which).find('$' + std::to_string(made.count())), std::string::npos) << name_of(which);
  };
  expect_all_typed(claim{{}, {}, 1ms, 1ms, blob});
  expect_all_typed(claim{{}, {}, 1ms, 1ms, blob, attempt_id{}});
  expect_all_typed(renew{{}, {}, 1ms});
  expect_all_typed(complete{{}, {}, outcome_completed{blob, blob, 1ms, 1ms}});
  expect_all_typed(complete{{}, {}, outcome_unknown{1ms}});
  expect_all_typed(release{{}, {}});
  expect_all_typed(find{{}});
}

TEST(parameters, of_many_commands_are_as_many_as_their_statement_has) {
  const auto blob = std::make_shared<const std::string>("blob");
  const command claimed = claim{{}, {}, 1ms, 1ms, blob};
  const command completed = complete{{}, {}, outcome_completed{nullptr, blob, 1ms, 1ms}};
  for (const command* each : {&claimed, &completed}) {
    parameters made;
    const std::array both{each, each};
    const statement which = encode_many(both, made);
    EXPECT_EQ(static_cast<std::size_t>(made.count()), types_of(which).size()) << name_of(which);
  }
}

TEST(parameters, of_every_statement_stand_in_its_text) {
  std::set<std::string_view> names;
  for (const statement each : all_statements) {
    names.insert(name_of(each));
    const std::size_t count = types_of(each).size();
    const std::string text = text_of(each);
    EXPECT_TRUE(count == 0 || text.find('$' + std::to_string(count)) != std::string::npos) << name_of(each);
    EXPECT_EQ(text.find('$' + std::to_string(count + 1)), std::string::npos) << name_of(each);
  }
  EXPECT_EQ(names.size(), all_statements.size());
}

TEST(parameters, weigh_what_their_blobs_do) {
  const auto body = std::make_shared<const std::string>(5'000, 'x');
  EXPECT_GE(wire_bytes(complete{{}, {}, outcome_completed{body, body, 1ms, 1ms}}), 10'000u);
  EXPECT_LT(wire_bytes(find{{}}), 1'000u);
}

}  // namespace
}  // namespace onceward::postgres
