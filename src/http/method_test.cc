#include "http/method.h"

#include <gtest/gtest.h>

namespace onceward::http {

namespace {

TEST(method, is_known_by_its_exact_name) {
  EXPECT_EQ(identify_method("CONNECT"), method_id::connect);
  EXPECT_EQ(identify_method("DELETE"), method_id::delete_);
  EXPECT_EQ(identify_method("GET"), method_id::get);
  EXPECT_EQ(identify_method("HEAD"), method_id::head);
  EXPECT_EQ(identify_method("OPTIONS"), method_id::options);
  EXPECT_EQ(identify_method("PATCH"), method_id::patch);
  EXPECT_EQ(identify_method("POST"), method_id::post);
  EXPECT_EQ(identify_method("PUT"), method_id::put);
  EXPECT_EQ(identify_method("TRACE"), method_id::trace);
  for (const char* name : {"", "get", "Post", "GETX", "PROPFIND", "QUERY"}) {
    EXPECT_EQ(identify_method(name), method_id::other) << name;
  }
}

TEST(method, is_safe_only_if_rfc_9110_says_so) {
  for (const auto method : {method_id::get, method_id::head, method_id::options, method_id::trace}) {
    EXPECT_TRUE(is_safe(method));
  }
  for (const auto method :
       {method_id::other, method_id::connect, method_id::delete_, method_id::patch, method_id::post, method_id::put}) {
    EXPECT_FALSE(is_safe(method));
  }
}

}  // namespace

}  // namespace onceward::http
