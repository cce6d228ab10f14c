#include "http/head_rules.h"

#include <variant>

#include "http/limits.h"
#include "http/status.h"

namespace onceward::http {

namespace {

struct connection_options {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool names_fields = false;
  bool names_protected = false;  // A field without which the message means something else at the next hop.
};

// Whether it is a token, as every option has to be.
bool add_option(connection_options& options, std::string_view name) {
  if (names_equal(name, "close")) {
    options.close = true;
  } else if (names_equal(name, "keep-alive")) {
    options.keep_alive = true;
  } else if (names_equal(name, "upgrade")) {
    options.upgrade = true;
  } else {
    options.names_fields = true;
    const field_id id = identify(name);
    options.names_protected = options.names_protected || id == field_id::host || id == field_id::content_length ||
                              id == field_id::transfer_encoding || id == field_id::idempotency_key;
    return is_token(name);
  }
  return true;
}

std::variant<connection_options, parse_error> read_connection(fields_view fields, field_id_set ids) {
  connection_options options;
  if (!ids.has(field_id::connection)) return options;
  std::size_t bytes = 0;
  for (const field_view& field : fields) {
    if (field.id == field_id::connection) bytes += field.value.size();
  }
  if (bytes > connection_bytes_max) return parse_error::head_too_large;

  const bool all_tokens = for_each_token(fields, field_id::connection,
                                         [&options](std::string_view element) { return add_option(options, element); });
  if (!all_tokens) return parse_error::connection_malformed;
  return options;
}

bool wants_keep_alive(const connection_options& options, unsigned version_minor) {
  return !options.close && (version_minor >= 1 || options.keep_alive);
}

// The form must suit the method (RFC 9112 section 3.2), and one part is filled in where an absolute form leaves it out.
std::optional<parse_error> read_target(request_head_view& head) {
  const auto target = parse_target(head.target);
  if (!target) return parse_error::target_malformed;
  if ((head.verb == method_id::connect) != (target->form == target_form::authority)) {
    return parse_error::target_malformed;
  }
  if (target->form == target_form::asterisk && head.verb != method_id::options) return parse_error::target_malformed;

  head.form = target->form;
  head.path = target->path;
  head.query = target->query;
  head.authority = target->authority;
  if (head.form == target_form::absolute && head.path.empty()) {
    head.path = head.verb == method_id::options && !head.query ? "*" : "/";
  }
  return std::nullopt;
}

std::optional<parse_error> read_host(request_head_view& head) {
  if (head.ids.repeats(field_id::host)) return parse_error::host_repeated;
  if (!head.ids.has(field_id::host)) {
    if (head.version_minor == 0) return std::nullopt;
    return parse_error::host_missing;
  }
  const std::string_view host = first_value(head.fields, field_id::host);
  if (!is_authority(host)) return parse_error::host_malformed;
  if (head.authority.empty()) head.authority = host;
  return std::nullopt;
}

// `100-continue` in any case is the only expectation there is. Something that another reader might take for it is not
// merely unsupported.
std::optional<parse_error> read_expect(request_head_view& head) {
  constexpr std::string_view known = "100-continue";
  if (!head.ids.has(field_id::expect)) return std::nullopt;
  if (head.version_minor == 0) return std::nullopt;  // To be ignored there (RFC 9110 section 10.1.1).
  if (head.ids.repeats(field_id::expect)) return parse_error::expectation_malformed;
  const std::string_view value = first_value(head.fields, field_id::expect);
  if (names_equal(value, known)) {
    head.expects_continue = true;
    return std::nullopt;
  }
  const bool resembles = names_equal(value.substr(0, known.size()), known);
  const bool is_expectation = is_token(value.substr(0, value.find('='))) && value.find(',') == std::string_view::npos;
  return resembles || !is_expectation ? parse_error::expectation_malformed : parse_error::expectation_unsupported;
}

}  // namespace

std::optional<parse_error> apply_request_rules(request_head_view& head) {
  if (const auto error = read_target(head)) return error;
  if (const auto error = read_host(head)) return error;

  const auto framing = declared_framing(head.fields, head.ids, head.version_minor);
  if (const auto* error = std::get_if<parse_error>(&framing)) return *error;
  head.framing = std::get<body_framing>(framing);

  const auto read = read_connection(head.fields, head.ids);
  if (const auto* error = std::get_if<parse_error>(&read)) return *error;
  const auto& connection = std::get<connection_options>(read);
  if (connection.names_protected) return parse_error::connection_names_protected_field;
  head.keep_alive = wants_keep_alive(connection, head.version_minor);
  head.connection_names_fields = connection.names_fields;
  head.asks_upgrade = head.version_minor >= 1 && connection.upgrade && head.ids.has(field_id::upgrade);
  return read_expect(head);
}

std::optional<parse_error> apply_response_rules(response_head_view& head, method_id request_method) {
  const auto declared = declared_framing(head.fields, head.ids, head.version_minor);
  if (const auto* error = std::get_if<parse_error>(&declared)) return *error;
  head.framing = std::get<body_framing>(declared);
  const auto* length = std::get_if<content_length>(&head.framing);
  if (length != nullptr) head.declared_length = length->bytes;

  const bool declares_body = length != nullptr ? length->bytes != 0 : head.framing != body_framing{no_body{}};
  if (forbids_body(head.status) && declares_body) return parse_error::body_not_allowed;
  if (forbids_body(head.status) || head.status == 304 || request_method == method_id::head) {
    head.framing = no_body{};
  } else if (head.framing == body_framing{no_body{}}) {
    head.framing = until_close{};
  }

  const auto read = read_connection(head.fields, head.ids);
  if (const auto* error = std::get_if<parse_error>(&read)) return *error;
  const auto& connection = std::get<connection_options>(read);
  head.connection_names_fields = connection.names_fields;
  head.keep_alive = wants_keep_alive(connection, head.version_minor) && head.framing != body_framing{until_close{}} &&
                    head.status != 101;
  return std::nullopt;
}

}  // namespace onceward::http
