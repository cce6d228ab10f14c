#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace onceward::base {
namespace {

struct numbered {
  int number = 0;
  list_links<numbered> links{};
};
using list = intrusive_list<numbered>;

std::vector<int> emptied(list& of) {
  std::vector<int> numbers;
  while (!of.empty()) {
    numbers.push_back(of.front().number);
    list::remove(of.front());
  }
  return numbers;
}

TEST(intrusive_list, has_items_in_order_without_those_that_have_left) {
  std::array<numbered, 6> items{{{0}, {1}, {2}, {3}, {4}, {5}}};
  list all;
  for (numbered& each : items)
    all.push_back(each);
  list::remove(items[0]);
  list::remove(items[3]);
  list::remove(items[5]);
  all.push_front(items[3]);
  EXPECT_EQ(all.size(), 4u);
  EXPECT_FALSE(list::is_listed(items[0]));
  EXPECT_TRUE(list::is_listed(items[3]));
  EXPECT_EQ(emptied(all), (std::vector<int>{3, 1, 2, 4}));
  EXPECT_EQ(all.size(), 0u);
}

TEST(intrusive_list, can_be_filled_again_from_either_side) {
  numbered one{1};
  numbered two{2};
  list all;
  all.push_front(two);
  all.push_front(one);
  EXPECT_EQ(emptied(all), (std::vector<int>{1, 2}));
  all.push_back(two);
  EXPECT_EQ(emptied(all), (std::vector<int>{2}));
}

TEST(intrusive_list, lets_an_item_leave_whichever_list_it_is_in) {
  numbered one{1};
  list here;
  list there;
  here.push_back(one);
  list::remove(one);
  list::remove(one);
  there.push_back(one);
  EXPECT_TRUE(here.empty());
  EXPECT_EQ(there.size(), 1u);
  EXPECT_DEATH(here.push_back(one), "is_listed");
  list::remove(one);
}

}  // namespace
}  // namespace onceward::base
