// What the two examples have in common: an order as a request, and what is said of it.
#pragma once

#include <array>
#include <iostream>
#include <string>
#include <variant>

#include "onceward/transaction.h"

namespace orders {

namespace transaction = onceward::transaction;

struct order {
  std::string customer;
  std::string key;  // The client's idempotency key.
  std::string item;
  std::string quantity;

  std::string body() const { return R"({"item":")" + item + R"(","quantity":)" + quantity + "}"; }

  // As it would come over HTTP; a gateway in front finds the same record.
  tl::expected<transaction::identity, std::string> identify(const transaction::identifier& rules) const {
    const std::string text = body();
    const std::array fields{transaction::field_view{"Authorization", customer},
                            transaction::field_view{"Idempotency-Key", key},
                            transaction::field_view{"Content-Type", "application/json"}};
    return rules.identify({"POST", "/orders", fields, text});
  }
};

inline transaction::response accepted(const order& placed) {
  return {201, {{"Content-Type", "application/json"}}, R"({"ordered":)" + placed.body() + "}"};
}

inline transaction::response sold_out() {
  return {409, {{"Content-Type", "application/json"}}, R"({"error":"sold out"})"};
}

inline int say(const std::string& how, const transaction::response& answer) {
  std::cout << how << ' ' << answer.status << ' ' << answer.body << '\n';
  return 0;
}

// What is told of a request that was not run now. The exit status of the program.
struct teller {
  int operator()(const transaction::run&) const { return 0; }
  int operator()(const transaction::replayed& found) const { return say("replayed", found.answer); }
  int operator()(const transaction::in_flight&) const { return refuse("in flight"); }
  int operator()(const transaction::mismatch& found) const { return refuse("mismatch: " + found.differing.front()); }
  int operator()(const transaction::unknown&) const { return refuse("unknown"); }
  int operator()(const transaction::failure& why) const {
    return refuse(std::string(transaction::to_string(why.kind)) + ": " + why.message);
  }

  static int refuse(const std::string& reason) {
    std::cout << reason << '\n';
    return 1;
  }
};

}  // namespace orders
