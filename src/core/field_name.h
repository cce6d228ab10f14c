// A field's name from configuration, resolved once so that heads are searched by number where the name is a known one.
#pragma once

#include <string>
#include <string_view>
#include <utility>

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

}  // namespace onceward::core
