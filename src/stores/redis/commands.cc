#include "stores/redis/commands.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <variant>

#include "base/assert.h"
#include "stores/redis/stored_record.h"

namespace onceward::redis {
namespace {

// Longer is as long as the scripts can reckon with.
constexpr std::int64_t duration_max_ms = std::int64_t{100} * 366 * 24 * 3'600'000;
// A response is put beside its record before the record says so, and may not go before it.
constexpr std::chrono::hours beside_margin{1};

constexpr std::size_t wire_overhead_bytes = 300;

template <std::size_t Size>
std::string text_of_bytes(const std::array<std::byte, Size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), Size};
}

std::string text_of_duration(std::chrono::milliseconds duration) {
  return std::to_string(std::clamp<std::int64_t>(duration.count(), 0, duration_max_ms));
}

std::string digit(bool set) {
  return set ? "1" : "0";
}

stored_response place_of(const outcome_completed& done) {
  if (done.response == nullptr) return stored_response::none;
  const bool fits = done.response->size() <= response_inside_bytes_max && done.retention >= done.retention_tombstone;
  return fits ? stored_response::inside : stored_response::beside;
}

struct encoder {
  const encoding& how;
  std::uint64_t floor;

  encoded operator()(const claim& what) const {
    return {.which = script::claim,
            .arguments = {name_of(what.key), text_of_bytes(what.attempt.bytes), text_of_duration(what.lease),
                          text_of_duration(what.retention), *what.fingerprint,
                          what.over_unknown ? text_of_bytes(what.over_unknown->bytes) : std::string(),
                          std::to_string(floor), digit(how.waits_for_replicas)}};
  }

  encoded operator()(const renew& what) const {
    return {.which = script::renew,
            .arguments = {name_of(what.key), text_of_bytes(what.attempt.bytes), digit(how.waits_for_replicas),
                          text_of_duration(what.lease)}};
  }

  encoded operator()(const complete& what) const {
    if (const auto* open = std::get_if<outcome_unknown>(&what.outcome)) {
      encoded made = ending(script::give_up, what.key, what.attempt);
      made.arguments.push_back(text_of_duration(open->retention));
      return made;
    }
    const auto& done = std::get<outcome_completed>(what.outcome);
    encoded made = ending(script::complete, what.key, what.attempt);
    const stored_response place = place_of(done);
    std::string last;
    if (place == stored_response::inside) last = *done.response;
    if (place == stored_response::beside) last = response_name(what.key, what.attempt, *done.response);
    for (std::string each : {text_of_duration(done.retention), text_of_duration(done.retention_tombstone),
                             *done.tombstone, std::to_string(static_cast<int>(place)), last}) {
      made.arguments.push_back(std::move(each));
    }
    return made;
  }

  encoded operator()(const release& what) const { return ending(script::release, what.key, what.attempt); }

  encoded operator()(const find& what) const { return {.which = script::find, .arguments = {name_of(what.key)}}; }

  encoded operator()(const list_unknown&) const { return not_about_one_record(); }
  encoded operator()(const purge&) const { return not_about_one_record(); }

 private:
  encoded ending(script which, const record_key& key, const attempt_id& attempt) const {
    return {.which = which,
            .arguments = {name_of(key), text_of_bytes(attempt.bytes), digit(how.waits_for_replicas),
                          word_of_end(how.sender, key)}};
  }

  static encoded not_about_one_record() {
    onceward_assert(false && "a command that has no record");
    return {};
  }
};

}  // namespace

encoded encode(const command& what, const encoding& how, std::uint64_t floor) {
  return std::visit(encoder{how, floor}, what);
}

bool has_response_beside(const command& what) {
  const auto* ended = std::get_if<complete>(&what);
  const auto* done = ended == nullptr ? nullptr : std::get_if<outcome_completed>(&ended->outcome);
  return done != nullptr && place_of(*done) == stored_response::beside;
}

encoded encode_response(const complete& what) {
  const auto& done = std::get<outcome_completed>(what.outcome);
  return {.which = script::put,
          .arguments = {response_name(what.key, what.attempt, *done.response), *done.response,
                        text_of_duration(done.retention + beside_margin)}};
}

void add_script(requests& into, script which, const std::vector<std::string>& arguments, const script_names* names) {
  into.begin(3 + arguments.size());
  if (names != nullptr) {
    into.word("EVALSHA").word(names->at(which));
  } else {
    into.word("EVAL").word(text_of(which));
  }
  into.word(1);
  for (const std::string& each : arguments)
    into.word(each);
}

std::size_t wire_bytes(const command& what) {
  const auto size = [](const shared_bytes& blob) { return blob == nullptr ? 0 : blob->size(); };
  std::size_t bytes = wire_overhead_bytes;
  if (const auto* asked = std::get_if<claim>(&what)) bytes += size(asked->fingerprint);
  if (const auto* ended = std::get_if<complete>(&what)) {
    if (const auto* done = std::get_if<outcome_completed>(&ended->outcome)) {
      bytes += size(done->response) + size(done->tombstone);
    }
  }
  return bytes;
}

std::string word_of_end(const std::string& sender, const record_key& key) {
  return sender + text_of_bytes(key.bytes);
}

std::optional<record_key> key_told(std::string_view word, const std::string& sender) {
  record_key key;
  if (word.size() != sender.size() + key.bytes.size() || word.starts_with(sender)) return std::nullopt;
  std::memcpy(key.bytes.data(), word.data() + sender.size(), key.bytes.size());
  return key;
}

}  // namespace onceward::redis
