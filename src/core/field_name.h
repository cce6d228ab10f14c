// A field's name from configuration, resolved once so that heads are searched by number where the name is a known one.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/fields.h"

namespace onceward::core {

class field_name {
 public:
  explicit field_name(std::string text) : text_(std::move(text)), id_(http::identify(text_)) {}

  bool names(const http::field_view& field) const {
    if (field.id != id_) return false;
    return id_ != http::field_id::other || http::names_equal(field.name, text_);
  }
  std::string_view text() const { return text_; }
  http::field_id id() const { return id_; }

 private:
  std::string text_;
  http::field_id id_;
};

// Several of them, looked for at the price of one.
class field_names {
 public:
  void add(const std::string& text) {
    field_name name(text);
    if (name.id() == http::field_id::other) return others_.push_back(std::move(name));
    known_.add(name.id());
  }

  bool include(const http::field_view& field) const {
    if (field.id != http::field_id::other) return known_.has(field.id);
    return std::any_of(others_.begin(), others_.end(), [&](const field_name& each) { return each.names(field); });
  }

 private:
  http::field_id_set known_;
  std::vector<field_name> others_;
};

}  // namespace onceward::core
