#include "http/head_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <limits>

#include "base/assert.h"

namespace onceward::http {

namespace {

namespace beast = boost::beast;

std::string_view to_std(beast::string_view text) {
  return {text.data(), text.size()};
}

bool is_within(std::string_view part, std::string_view whole) {
  const std::less_equal<const char*> not_after;
  return not_after(whole.data(), part.data()) && not_after(part.data() + part.size(), whole.data() + whole.size());
}

// Records what the parser calls out. The parser keeps a state of its own for the body; a recorder never gets that far,
// because it is given a head and nothing more.
template <bool is_request, class HeadView>
class recorder : public beast::http::basic_parser<is_request> {
 public:
  recorder(std::string_view text, HeadView& head, std::vector<field_view>& fields)
      : text_(text), head_(head), fields_(fields) {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());
    this->body_limit(boost::none);
    fields_.clear();
  }

  std::optional<parse_error> run() {
    beast::error_code failure;
    const std::size_t taken = this->put(boost::asio::const_buffer(text_.data(), text_.size()), failure);
    if (failure) return translate(failure);
    onceward_assert(this->is_header_done() && taken == text_.size());
    return std::nullopt;
  }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code&) override {
    if constexpr (is_request) {
      head_.method = to_std(method);
      head_.verb = identify_method(head_.method);
      head_.target = to_std(target);
      head_.version_minor = version == 10 ? 0 : 1;
    }
  }

  void on_response_impl(int status, beast::string_view reason, int version, beast::error_code&) override {
    if constexpr (!is_request) {
      head_.status = status;
      head_.reason = to_std(reason);
      head_.version_minor = version == 10 ? 0 : 1;
    }
  }

  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     beast::error_code&) override {
    const field_view field = make_field(to_std(name), to_std(value));
    // A folded value would be a view of the parser's own stack; the scanner must have refused it.
    onceward_assert(is_within(field.name, text_) && is_within(field.value, text_));
    head_.ids.add(field.id);
    fields_.push_back(field);
  }

  void on_header_impl(beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override { return 0; }
  void on_finish_impl(beast::error_code&) override {}

  // The parser looks at the framing fields before it calls them out: what it refuses there is named by what came
  // before.
  parse_error translate(const beast::error_code& failure) const {
    using beast::http::error;
    const bool length_seen = head_.ids.has(field_id::content_length);
    const bool coding_seen = head_.ids.has(field_id::transfer_encoding);
    if (failure == error::bad_method) return parse_error::method_malformed;
    if (failure == error::bad_target) return parse_error::target_malformed;
    if (failure == error::bad_version) return parse_error::version_malformed;
    if (failure == error::bad_status) return parse_error::status_invalid;
    if (failure == error::bad_reason) return parse_error::status_line_malformed;
    // Values were scanned before, so what is left is a list that the parser reads itself, and only Connection is one.
    if (failure == error::bad_value) return parse_error::connection_malformed;
    if (failure == error::multiple_content_length) return parse_error::content_length_repeated;
    if (failure == error::bad_content_length) {
      if (coding_seen) return parse_error::transfer_encoding_and_content_length;
      return length_seen ? parse_error::content_length_repeated : parse_error::content_length_malformed;
    }
    if (failure == error::bad_transfer_encoding) {
      return length_seen ? parse_error::transfer_encoding_and_content_length : parse_error::transfer_encoding_repeated;
    }
    return parse_error::field_malformed;
  }

  std::string_view text_;
  HeadView& head_;
  std::vector<field_view>& fields_;
};

}  // namespace

std::optional<parse_error> parse_request_text(std::string_view text, request_head_view& head,
                                              std::vector<field_view>& fields) {
  return recorder<true, request_head_view>(text, head, fields).run();
}

std::optional<parse_error> parse_response_text(std::string_view text, response_head_view& head,
                                               std::vector<field_view>& fields) {
  return recorder<false, response_head_view>(text, head, fields).run();
}

}  // namespace onceward::http
