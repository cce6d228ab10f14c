#include "stores/redis/server_error.h"

namespace onceward::redis {

server_error judge_error(std::string_view text) {
  const std::string_view code = text.substr(0, text.find(' '));
  if (code == "NOSCRIPT") return {remedy::send_text, errc::unavailable};
  if (code == "MOVED" || code == "ASK") return {remedy::follow, errc::unavailable};
  if (code == "TRYAGAIN") return {remedy::wait, errc::unavailable};
  if (code == "CLUSTERDOWN") return {remedy::look_again, errc::unavailable};
  if (code == "OOM") return {remedy::refuse, errc::full};
  if (code == "VERSION") return {remedy::refuse, errc::version};
  if (code == "BUSY") return {remedy::refuse, errc::busy};
  if (code == "WRONGTYPE") return {remedy::refuse, errc::corrupt};
  if (code == "READONLY" || code == "MASTERDOWN" || code == "LOADING" || code == "NOAUTH" || code == "NOPERM" ||
      code == "MISCONF") {
    return {remedy::reconnect, errc::unavailable};
  }
  // What the user may not do inside a script has no code of its own.
  if (text.find("user executing the script") != std::string_view::npos) return {remedy::reconnect, errc::unavailable};
  return {remedy::refuse, errc::unavailable};
}

}  // namespace onceward::redis
