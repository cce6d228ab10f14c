#include "http/writer.h"

#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/characters.h"
#include "http/hop_by_hop.h"

namespace onceward::http {

namespace {

// What a head needs besides the text of its parts: version, framing, Connection, line ends.
constexpr std::size_t head_overhead_bytes = 192;
constexpr std::size_t crlf_bytes = 2;
constexpr std::size_t field_overhead_bytes = std::string_view(": \r\n").size();

// Writes into room that was reserved for a whole head: one check per head, not one per piece.
class head_sink {
 public:
  head_sink(base::byte_buffer& out, std::size_t bytes_max)
      : out_(out), begin_(out.prepare(bytes_max).data()), at_(begin_), end_(begin_ + bytes_max) {}
  head_sink(const head_sink&) = delete;
  head_sink& operator=(const head_sink&) = delete;
  ~head_sink() { out_.commit(static_cast<std::size_t>(at_ - begin_)); }

  // Inline, so that a constant is copied without a call.
  [[gnu::always_inline]] void put(std::string_view text) {
    onceward_assert(room() >= text.size());
    at_ = copied(at_, text);
  }

  // What it has written, until the next write to the buffer.
  std::string_view put_field(std::string_view name, std::string_view value) {
    const std::size_t bytes = name.size() + value.size() + field_overhead_bytes;
    onceward_assert(room() >= bytes);
    char* at = copied(at_, name);
    at = copied(at, ": ");
    at = copied(at, value);
    at = copied(at, "\r\n");
    return {std::exchange(at_, at), bytes};
  }

 private:
  std::size_t room() const { return static_cast<std::size_t>(end_ - at_); }

  // The end of the copy.
  [[gnu::always_inline]] static char* copied(char* to, std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }

  base::byte_buffer& out_;
  char* begin_;
  char* at_;
  char* end_;
};

bool has_no_control(std::string_view text) {
  const char* end = text.data() + text.size();
  return find_control(text.data(), end) == end;
}

void put_framing(head_sink& out, const body_framing& framing) {
  if (const auto* length = std::get_if<content_length>(&framing)) {
    out.put_field("Content-Length", base::decimal_text(length->bytes).view());
  } else if (std::holds_alternative<chunked>(framing)) {
    out.put("Transfer-Encoding: chunked\r\n");
  }
}

void put_connection(head_sink& out, connection_option option, bool upgrade) {
  if (upgrade) {
    out.put("Connection: upgrade\r\n");
    return;
  }
  switch (option) {
    case connection_option::none:
      return;
    case connection_option::close:
      out.put("Connection: close\r\n");
      return;
    case connection_option::keep_alive:
      out.put("Connection: keep-alive\r\n");
      return;
  }
}

// Whether a caller may add a field of this name. That its number is right is looked at, too.
bool may_be_added(const field_view& field) {
  if (field.id == field_id::other) return is_token(field.name) && identify(field.name) == field_id::other;
  return names_equal(field.name, name_of(field.id)) && field.id != field_id::content_length &&
         field.id != field_id::host && !is_hop_by_hop(field.id);
}

bool has_space_around(std::string_view text) {
  return !text.empty() && (is_space_or_tab(text.front()) || is_space_or_tab(text.back()));
}

void put_extra(head_sink& out, fields_view extra) {
  for (const field_view& field : extra) {
    onceward_assert(may_be_added(field) && !has_space_around(field.value));
    // The whole line is looked at, where it is in one piece: its first control character is the line end.
    const std::string_view line = out.put_field(field.name, field.value);
    onceward_assert(find_control(line.data(), line.data() + line.size()) == line.data() + line.size() - crlf_bytes);
  }
}

std::size_t bytes_of(fields_view fields) {
  std::size_t bytes = 0;
  for (const field_view& field : fields)
    bytes += field.name.size() + field.value.size() + field_overhead_bytes;
  return bytes;
}

// What both directions agree on. `how` is either kind of forwarding.
template <class HeadView, class Forwarding>
bool goes_on(const field_view& field, const HeadView& head, const Forwarding& how) {
  if (field.id == field_id::content_length) return false;
  const bool upgrades = how.upgrade && field.id == field_id::upgrade;
  if (!upgrades && ends_here(field, head.fields, head.connection_names_fields)) return false;
  return how.drop == nullptr || !how.drop->includes(field);
}

void put_target(head_sink& out, const request_head_view& head) {
  out.put(head.path);
  if (head.query) {
    out.put("?");
    out.put(*head.query);
  }
}

}  // namespace

void append_request_line(base::byte_buffer& out, std::string_view method, std::string_view target) {
  onceward_assert(is_token(method) && !target.empty() && all_in(class_target, target));
  head_sink sink(out, method.size() + target.size() + head_overhead_bytes);
  sink.put(method);
  sink.put(" ");
  sink.put(target);
  sink.put(" HTTP/1.1\r\n");
}

void append_status_line(base::byte_buffer& out, int status, std::string_view reason) {
  onceward_assert(status >= status_min && status <= status_max && has_no_control(reason));
  head_sink sink(out, reason.size() + head_overhead_bytes);
  sink.put("HTTP/1.1 ");
  sink.put(base::decimal_text(static_cast<std::uint64_t>(status)).view());
  sink.put(" ");
  sink.put(reason);
  sink.put("\r\n");
}

void append_field(base::byte_buffer& out, std::string_view name, std::string_view value) {
  onceward_assert(is_token(name) && is_field_value(value));
  head_sink(out, name.size() + value.size() + field_overhead_bytes).put_field(name, value);
}

void append_field(base::byte_buffer& out, constant_field line) {
  head_sink sink(out, line.line().size() + field_overhead_bytes);
  sink.put(line.line());
  sink.put("\r\n");
}

void append_framing(base::byte_buffer& out, const body_framing& framing) {
  head_sink sink(out, head_overhead_bytes);
  put_framing(sink, framing);
}

void append_end_of_head(base::byte_buffer& out) {
  out.append("\r\n");
}

void append_chunk(base::byte_buffer& out, std::string_view data) {
  onceward_assert(!data.empty());
  out.append(base::hexadecimal_text(data.size()).view());
  out.append("\r\n");
  out.append(data);
  out.append("\r\n");
}

void append_last_chunk(base::byte_buffer& out) {
  out.append("0\r\n\r\n");
}

void append_forwarded_request_head(base::byte_buffer& out, const request_head_view& head,
                                   const request_forwarding& how) {
  onceward_assert(head.form != target_form::authority && !std::holds_alternative<until_close>(how.framing));
  onceward_assert(how.host.empty() || is_authority(how.host));
  const std::string_view host = how.host.empty() ? head.authority : how.host;
  head_sink sink(out, head.method.size() + head.target.size() + host.size() + bytes_of(head.fields) +
                          bytes_of(how.extra) + head_overhead_bytes);
  sink.put(head.method);
  sink.put(" ");
  put_target(sink, head);
  sink.put(" HTTP/1.1\r\n");
  sink.put_field("Host", host);
  for (const field_view& field : head.fields) {
    if (field.id == field_id::host || field.id == field_id::expect || !goes_on(field, head, how)) continue;
    sink.put_field(field.name, field.value);
  }
  put_extra(sink, how.extra);
  put_connection(sink, how.connection, how.upgrade);
  put_framing(sink, how.framing);
  sink.put("\r\n");
}

void append_forwarded_response_head(base::byte_buffer& out, const response_head_view& head,
                                    const response_forwarding& how) {
  onceward_assert(!forbids_body(head.status) || std::holds_alternative<no_body>(how.framing));
  head_sink sink(out, head.reason.size() + bytes_of(head.fields) + bytes_of(how.extra) + head_overhead_bytes);
  sink.put("HTTP/1.1 ");
  sink.put(base::decimal_text(static_cast<std::uint64_t>(head.status)).view());
  sink.put(" ");
  sink.put(head.reason);
  sink.put("\r\n");
  for (const field_view& field : head.fields) {
    if (goes_on(field, head, how)) sink.put_field(field.name, field.value);
  }
  put_extra(sink, how.extra);
  put_connection(sink, how.connection, how.upgrade);
  // After HEAD and for 304: the length of a body that is not here. 1xx and 204 have none to tell.
  if (std::holds_alternative<no_body>(how.framing) && head.declared_length && !forbids_body(head.status)) {
    put_framing(sink, content_length{*head.declared_length});
  } else {
    put_framing(sink, how.framing);
  }
  sink.put("\r\n");
}

}  // namespace onceward::http
