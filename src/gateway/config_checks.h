// What a text in the configuration must look like: each returns the rest of a sentence that says what is wrong, or
// nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onceward::gateway {

// A field name (RFC 9110 section 5.1).
std::optional<std::string> check_field_name(std::string_view text);

// ... of a request field that a route may act on: not one that ends at this hop or frames the message, and without
// underscores, which are taken out of requests before a route sees them.
std::optional<std::string> check_request_field_name(std::string_view text);

// A method as it is sent.
std::optional<std::string> check_method(std::string_view text);

// ... that can be guarded: not a safe one (RFC 9110 section 9.2.1), which never touches the store.
std::optional<std::string> check_guarded_method(std::string_view text);

// A JSON pointer (RFC 6901) to something inside the body.
std::optional<std::string> check_json_pointer(std::string_view text);

// Path and query of a probe, with `{key}` or `{/pointer}` in it.
std::optional<std::string> check_probe_url(std::string_view text);

// The path prefix of the status lookup: begins and ends with a slash.
std::optional<std::string> check_path_prefix(std::string_view text);

// An address, or a network as ADDRESS/BITS.
std::optional<std::string> check_network(std::string_view text);

// A route's name: short and printable, because it stands in logs and metrics.
std::optional<std::string> check_route_name(std::string_view text);

// A cookie's name: a token, or empty for the whole field.
std::optional<std::string> check_cookie_name(std::string_view text);

// Not empty, and no NUL.
std::optional<std::string> check_file_path(std::string_view text);

// Begins as a URL of PostgreSQL; what follows is for its own library to read. Says nothing of the text, which may hold
// a password.
std::optional<std::string> check_postgres_url(std::string_view text);

// Begins as a URL of Redis; what follows is for the store to read. Says nothing of the text either.
std::optional<std::string> check_redis_url(std::string_view text);

// By which sentinels know a primary: letters, digits and `.-_`.
std::optional<std::string> check_redis_master(std::string_view text);

// Anything at all; the rules that use it say more.
std::optional<std::string> check_nothing(std::string_view text);

}  // namespace onceward::gateway
