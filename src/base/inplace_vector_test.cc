#include "base/inplace_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace onceward::base {
namespace {

TEST(inplace_vector, holds_what_was_put_in_in_order) {
  inplace_vector<std::string, 3> list;
  EXPECT_TRUE(list.empty());
  list.emplace_back("a string that is too long to lie in its object");
  EXPECT_EQ(list.emplace_back(2u, 'b'), "bb");
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(std::vector<std::string>(list.begin(), list.end()),
            (std::vector<std::string>{"a string that is too long to lie in its object", "bb"}));
}

TEST(inplace_vector, destroys_each_element_once) {
  const auto watched = std::make_shared<int>(1);
  {
    inplace_vector<std::shared_ptr<int>, 4> list;
    list.emplace_back(watched);
    list.emplace_back(watched);
    inplace_vector<std::shared_ptr<int>, 4> moved = std::move(list);
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(moved.size(), 2u);
    EXPECT_EQ(watched.use_count(), 3);
    inplace_vector<std::shared_ptr<int>, 4> other;
    other.emplace_back(watched);
    other = std::move(moved);
    EXPECT_EQ(other.size(), 2u);
    EXPECT_EQ(watched.use_count(), 3);
    other.clear();
    EXPECT_EQ(watched.use_count(), 1);
    list.emplace_back(watched);
  }
  EXPECT_EQ(watched.use_count(), 1);
}

TEST(inplace_vector, takes_no_more_than_it_has_places_for) {
  inplace_vector<int, 1> list;
  list.emplace_back(1);
  EXPECT_DEATH(list.emplace_back(2), "size_ < N");
}

}  // namespace
}  // namespace onceward::base
