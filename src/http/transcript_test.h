// For tests and fuzz targets: reads a whole connection's bytes the way a connection does, cut into pieces, and writes
// down in text what was understood, so that two readings are compared as two strings.
//
// Each piece is fed from a fresh allocation of exactly the unread bytes: a view that outlives its bytes, or a look past
// their end, is seen by AddressSanitizer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "http/round_trip_test.h"

namespace onceward::http::transcript {

// Where the input is cut: the sizes of the pieces, the last one repeated for as long as there is input.
using piece_sizes = std::vector<std::size_t>;

inline std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c > ' ' && c < 0x7f && c != '\\') {
      text += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      text += "\\x";
      text += digits[byte / 16];
      text += digits[byte % 16];
    }
  }
  return text;
}

inline std::string describe(const body_framing& framing) {
  if (const auto* length = std::get_if<content_length>(&framing)) return "length:" + std::to_string(length->bytes);
  if (std::holds_alternative<chunked>(framing)) return "chunked";
  return std::holds_alternative<until_close>(framing) ? "until-close" : "none";
}

inline std::string describe(fields_view fields) {
  std::string text;
  for (const field_view& field : fields) {
    text += "  " + std::string(field.name) + ": " + printable(field.value);
    // The id is a function of the name alone.
    onceward_assert(field.id == identify(field.name));
    text += '\n';
  }
  return text;
}

inline std::string describe(const request_head_view& head) {
  std::string text = std::string(head.method) + ' ' + std::string(head.target) + " path=" + std::string(head.path);
  if (head.query) text += " query=" + std::string(*head.query);
  text += " authority=" + std::string(head.authority) + " minor=" + std::to_string(head.version_minor);
  text += " framing=" + describe(head.framing);
  if (head.keep_alive) text += " keep-alive";
  if (head.expects_continue) text += " expects-continue";
  if (head.asks_upgrade) text += " asks-upgrade";
  if (head.connection_names_fields) text += " names-fields";
  return text + '\n' + describe(head.fields);
}

inline std::string describe(const response_head_view& head) {
  std::string text = std::to_string(head.status) + ' ' + printable(head.reason);
  text += " minor=" + std::to_string(head.version_minor) + " framing=" + describe(head.framing);
  if (head.declared_length) text += " declares=" + std::to_string(*head.declared_length);
  if (head.keep_alive) text += " keep-alive";
  if (head.connection_names_fields) text += " names-fields";
  return text + '\n' + describe(head.fields);
}

// One side of a connection. What comes out at the end is a line for each message with its fields and its body, and last
// how it ended: `end` between two messages, `incomplete` inside one, `extra N` with bytes behind the last response, or
// the name of the error.
template <class Reader>
class connection {
 public:
  static constexpr bool reads_requests = std::is_same_v<Reader, request_head_reader>;

  connection(Reader reader, const body_limits& limits, method_id request_method)
      : reader_(std::move(reader)), limits_(limits), request_method_(request_method) {}

  void receive(std::string_view piece) {
    const std::string unread = unread_ + std::string(piece);
    // Exactly as long as its content: no capacity to read into.
    const std::vector<char> exact(unread.begin(), unread.end());
    std::string_view input{exact.data(), exact.size()};
    while (!ended_ && (in_body_ ? read_body(input) : read_head(input))) {
    }
    unread_.assign(input);
  }

  std::string close() {
    if (in_body_ && !ended_) {
      if (const auto error = body_.finish()) {
        fail(*error);
      } else {
        end_message();
      }
    }
    if (error_) return text_ + std::string(name_of(*error_)) + '\n';
    if (ended_) return text_ + (unread_.empty() ? "end\n" : "extra " + std::to_string(unread_.size()) + '\n');
    return text_ + (reader_.idle() && reads_requests ? "end\n" : "incomplete\n");
  }

 private:
  // Both say whether there may be more to read in the input.
  bool read_head(std::string_view& input) {
    auto outcome = reader_.feed(input);
    if (std::holds_alternative<need_more>(outcome)) return false;
    if (const auto* error = std::get_if<parse_error>(&outcome)) {
      fail(*error);
      return false;
    }
    const auto& head = std::get<1>(outcome);
    text_ += describe(head);
    if constexpr (reads_requests) {
      round_trip::check(head);
    } else {
      round_trip::check(head, request_method_);
    }
    input.remove_prefix(head.bytes);
    body_ = body_reader(head.framing, limits_);
    body_text_.clear();
    in_body_ = true;
    if constexpr (!reads_requests) is_last_ = !head.is_interim();
    reader_.next();
    return true;
  }

  bool read_body(std::string_view& input) {
    if (!body_.done()) {
      const auto step = body_.consume(input);
      if (const auto* error = std::get_if<parse_error>(&step)) {
        fail(*error);
        return false;
      }
      const auto& progress = std::get<body_progress>(step);
      onceward_assert(progress.done == body_.done() && progress.consumed <= input.size());
      body_text_ += progress.data;
      input.remove_prefix(progress.consumed);
    }
    if (!body_.done()) return !input.empty();
    onceward_assert(body_.data_bytes() == body_text_.size());
    end_message();
    return true;
  }

  void end_message() {
    text_ += "  body " + printable(body_text_) + '\n';
    in_body_ = false;
    ended_ = is_last_;
  }

  void fail(parse_error error) {
    error_ = error;
    ended_ = true;
  }

  Reader reader_;
  body_limits limits_;
  method_id request_method_;  // Of the request that the responses answer.
  body_reader body_;
  std::string unread_;
  std::string text_;
  std::string body_text_;
  std::optional<parse_error> error_;
  bool in_body_ = false;
  bool is_last_ = false;  // The message being read is the connection's last: the final response.
  bool ended_ = false;
};

template <class Reader>
std::string read(Reader reader, const body_limits& limits, method_id request_method, std::string_view bytes,
                 const piece_sizes& pieces) {
  connection<Reader> peer(std::move(reader), limits, request_method);
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const std::size_t size = pieces.empty() ? bytes.size() : pieces[std::min(i, pieces.size() - 1)];
    peer.receive(bytes.substr(0, std::max<std::size_t>(size, 1)));
    bytes.remove_prefix(std::min(std::max<std::size_t>(size, 1), bytes.size()));
  }
  return peer.close();
}

struct request_options {
  head_limits head = {};
  body_limits body = {};
  underscore_policy underscores = underscore_policy::drop;
};

inline std::string read_requests(std::string_view bytes, const piece_sizes& pieces = {},
                                 const request_options& options = {}) {
  return read(request_head_reader(options.head, options.underscores), options.body, method_id::other, bytes, pieces);
}

struct response_options {
  head_limits head = {};
  body_limits body = {};
  method_id request_method = method_id::post;
};

inline std::string read_response(std::string_view bytes, const piece_sizes& pieces = {},
                                 const response_options& options = {}) {
  response_head_reader reader(options.head);
  reader.start(options.request_method);
  return read(std::move(reader), options.body, options.request_method, bytes, pieces);
}

// Reads whole, byte by byte and cut in two at every position; `read` is called with the pieces. The reading that all of
// them agree on, or both where one differs.
template <class Read>
std::string in_every_cut(std::string_view bytes, Read read) {
  const std::string whole = read(piece_sizes{});
  const auto differs = [&whole](const std::string& how, const std::string& other) {
    return "WHOLE\n" + whole + how + '\n' + other;
  };
  if (const std::string other = read(piece_sizes{1}); other != whole) return differs("BYTE BY BYTE", other);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const std::string other = read(piece_sizes{cut, bytes.size()});
    if (other != whole) return differs("CUT AT " + std::to_string(cut), other);
  }
  return whole;
}

inline std::string requests_in_every_cut(std::string_view bytes, const request_options& options = {}) {
  return in_every_cut(bytes, [&](const piece_sizes& pieces) { return read_requests(bytes, pieces, options); });
}

inline std::string response_in_every_cut(std::string_view bytes, const response_options& options = {}) {
  return in_every_cut(bytes, [&](const piece_sizes& pieces) { return read_response(bytes, pieces, options); });
}

}  // namespace onceward::http::transcript
