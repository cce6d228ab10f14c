#include "http/date.h"

#include <algorithm>
#include <string_view>

namespace onceward::http {

namespace {

using namespace std::chrono;

constexpr sys_seconds earliest = sys_days{year{0} / January / 1};
constexpr sys_seconds latest = sys_days{year{10000} / January / 1} - seconds{1};

constexpr std::array<std::string_view, 7> weekday_names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void put_number(char* at, unsigned value, std::size_t digits) {
  while (digits-- > 0) {
    at[digits] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

void put_text(char* at, std::string_view text) {
  std::copy(text.begin(), text.end(), at);
}

}  // namespace

std::array<char, http_date_bytes> http_date(sys_seconds time) {
  const sys_seconds clamped = std::clamp(time, earliest, latest);
  const sys_days day = floor<days>(clamped);
  const year_month_day date{day};
  const hh_mm_ss clock{clamped - day};

  std::array<char, http_date_bytes> text;
  char* const at = text.data();
  put_text(at, "___, 00 ___ 0000 00:00:00 GMT");
  put_text(at, weekday_names[weekday{day}.c_encoding()]);
  put_number(at + 5, static_cast<unsigned>(date.day()), 2);
  put_text(at + 8, month_names[static_cast<unsigned>(date.month()) - 1]);
  put_number(at + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_number(at + 17, static_cast<unsigned>(clock.hours().count()), 2);
  put_number(at + 20, static_cast<unsigned>(clock.minutes().count()), 2);
  put_number(at + 23, static_cast<unsigned>(clock.seconds().count()), 2);
  return text;
}

}  // namespace onceward::http
