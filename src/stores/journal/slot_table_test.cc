#include "stores/journal/slot_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace onceward::journal {
namespace {

// Keys that are alike but for few bits, so that many hash alike.
record_key key_of(unsigned number) {
  record_key key;
  key.bytes[17] = static_cast<std::byte>(number % 16);
  key.bytes[31] = static_cast<std::byte>(number / 16);
  return key;
}

TEST(slot_table, has_what_was_added_where_it_was_until_it_is_erased) {
  constexpr unsigned keys = 200;
  std::mt19937 random(1);
  slot_table table;
  std::map<record_key, slot*> model;
  for (int step = 0; step < 20'000; ++step) {
    const record_key key = key_of(static_cast<unsigned>(random() % keys));
    const auto known = model.find(key);
    slot* const found = table.find(key);
    ASSERT_EQ(found, known == model.end() ? nullptr : known->second);
    if (found == nullptr) {
      slot& made = table.add(key);
      EXPECT_EQ(made.key, key);
      EXPECT_EQ(made.changes_pending, 0u);
      EXPECT_EQ(made.kept.fingerprint, nullptr);
      made.changes_pending = 7;
      model[key] = &made;
    } else {
      table.erase(*found);
      model.erase(known);
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

TEST(slot_table, lets_go_of_a_record_with_its_slot) {
  slot_table table;
  slot& made = table.add(key_of(1));
  made.kept.fingerprint = std::make_shared<const std::string>("fingerprint");
  const std::weak_ptr<const std::string> fingerprint = made.kept.fingerprint;
  table.erase(made);
  EXPECT_TRUE(fingerprint.expired());
}

TEST(slot_table, shows_each_slot_once_and_lets_it_be_erased_meanwhile) {
  slot_table table;
  for (unsigned number = 0; number < 100; ++number)
    table.add(key_of(number)).space_held = number;
  std::size_t shown = 0;
  table.for_each([&](slot& each) {
    ++shown;
    if (each.space_held % 3 == 0) table.erase(each);
  });
  EXPECT_EQ(shown, 100u);
  EXPECT_EQ(table.size(), 66u);
  table.for_each([](const slot& each) { EXPECT_NE(each.space_held % 3, 0u); });
}

std::vector<std::uint64_t> in_line(slot_line& line) {
  std::vector<std::uint64_t> numbers;
  while (!line.empty()) {
    slot& first = line.front();
    numbers.push_back(first.space_held);
    slot_line::remove(first);
  }
  return numbers;
}

TEST(slot_line, is_in_the_order_of_joining_without_those_that_have_left) {
  slot_table table;
  std::vector<slot*> slots;
  slot_line line;
  for (unsigned number = 0; number < 6; ++number) {
    slots.push_back(&table.add(key_of(number)));
    slots.back()->space_held = number;
    line.push_back(*slots.back());
  }
  slot_line::remove(*slots[0]);
  slot_line::remove(*slots[3]);
  table.erase(*slots[5]);
  line.push_back(*slots[3]);
  EXPECT_EQ(line.size(), 4u);
  EXPECT_FALSE(slot_line::is_listed(*slots[0]));
  EXPECT_EQ(in_line(line), (std::vector<std::uint64_t>{1, 2, 4, 3}));
  EXPECT_EQ(line.size(), 0u);
}

}  // namespace
}  // namespace onceward::journal
