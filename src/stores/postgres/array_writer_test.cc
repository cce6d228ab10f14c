#include "stores/postgres/array_writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace onceward::postgres {
namespace {

using namespace std::string_literals;

TEST(array_writer, writes_dimension_type_and_length_before_the_elements) {
  array_writer made(20, 2);
  made.add(std::int64_t{5});
  made.add(std::int64_t{-1});
  EXPECT_EQ(made.take(),
            "\0\0\0\1"
            "\0\0\0\0"
            "\0\0\0\24"
            "\0\0\0\2"
            "\0\0\0\1"
            "\0\0\0\10\0\0\0\0\0\0\0\5"
            "\0\0\0\10\xff\xff\xff\xff\xff\xff\xff\xff"s);
}

TEST(array_writer, keeps_an_empty_element_apart_from_none_and_says_that_there_is_one) {
  array_writer made(17, 2);
  made.add(std::make_shared<const std::string>());
  made.add(shared_bytes());
  EXPECT_EQ(made.take(),
            "\0\0\0\1"
            "\0\0\0\1"
            "\0\0\0\21"
            "\0\0\0\2"
            "\0\0\0\1"
            "\0\0\0\0"
            "\xff\xff\xff\xff"s);
}

}  // namespace
}  // namespace onceward::postgres
