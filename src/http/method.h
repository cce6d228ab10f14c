// Request methods. Case matters: `get` is another method than `GET`, and one that this program does not know.
#pragma once

#include <cstdint>
#include <string_view>

namespace onceward::http {

enum class method_id : std::uint8_t { other, connect, delete_, get, head, options, patch, post, put, trace };

constexpr method_id identify_method(std::string_view name) {
  switch (name.size()) {
    case 3:
      if (name == "GET") return method_id::get;
      if (name == "PUT") return method_id::put;
      break;
    case 4:
      if (name == "POST") return method_id::post;
      if (name == "HEAD") return method_id::head;
      break;
    case 5:
      if (name == "PATCH") return method_id::patch;
      if (name == "TRACE") return method_id::trace;
      break;
    case 6:
      if (name == "DELETE") return method_id::delete_;
      break;
    case 7:
      if (name == "OPTIONS") return method_id::options;
      if (name == "CONNECT") return method_id::connect;
      break;
    default:
      break;
  }
  return method_id::other;
}

// RFC 9110 section 9.2.1: asks for nothing to be changed.
constexpr bool is_safe(method_id method) {
  switch (method) {
    case method_id::get:
    case method_id::head:
    case method_id::options:
    case method_id::trace:
      return true;
    case method_id::other:
    case method_id::connect:
    case method_id::delete_:
    case method_id::patch:
    case method_id::post:
    case method_id::put:
      return false;
  }
  return false;
}

}  // namespace onceward::http
