#include "base/bounded_list.h"

#include <gtest/gtest.h>

#include <string_view>

namespace onceward::base {

namespace {

TEST(bounded_list, holds_what_was_added_in_its_order) {
  bounded_list<std::string_view, 3> list;
  EXPECT_TRUE(list.items().empty());
  list.add("a");
  list.add("b");
  ASSERT_EQ(list.items().size(), 2U);
  EXPECT_EQ(list.items()[0], "a");
  EXPECT_EQ(list.items()[1], "b");
  list.add("c");
  EXPECT_EQ(list.items().back(), "c");
}

TEST(bounded_list_death, takes_no_more_than_it_has_room_for) {
  bounded_list<int, 1> list;
  list.add(1);
  EXPECT_DEATH(list.add(2), "assertion failed");
}

}  // namespace

}  // namespace onceward::base
