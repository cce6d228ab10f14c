// Dates in HTTP's preferred format (RFC 9110 section 5.6.7), as in Date: Sun, 06 Nov 1994 08:49:37 GMT.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace onceward::http {

inline constexpr std::size_t http_date_bytes = 29;

// For years 0 to 9999; what is before or after is written as the first or the last of these seconds.
std::array<char, http_date_bytes> http_date(std::chrono::sys_seconds time);

}  // namespace onceward::http
