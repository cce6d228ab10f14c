#include "stores/redis/commands.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
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

std::int64_t ms_of(std::chrono::milliseconds duration) {
  return std::clamp<std::int64_t>(duration.count(), 0, duration_max_ms);
}

std::string_view digit(bool set) {
  return set ? "1" : "0";
}

// Pieces of a record, as scripts.cc lays it out.
using namespace std::string_view_literals;
constexpr std::string_view running_begin = "\1\0"sv;  // Version and state.
static_assert(record_version == 1 && static_cast<int>(stored_state::in_flight) == 0);
constexpr std::string_view first_number = "\0\0\0\1"sv;
constexpr std::string_view no_tombstone_no_response = "\0\0\0\0\0\0\0\0"sv;

// How long a part is, in front of it.
class part_size {
 public:
  explicit part_size(std::string_view part) {
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      bytes_[i] = static_cast<char>(part.size() >> (8 * (bytes_.size() - 1 - i)));
  }
  std::string_view text() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 4> bytes_{};
};

std::string_view bytes_of(const attempt_id& attempt) {
  return {reinterpret_cast<const char*>(attempt.bytes.data()), attempt.bytes.size()};
}

// `arguments`: of the script, its keys among them.
requests& begin_script(requests& into, script which, std::size_t arguments, const script_names* names,
                       std::size_t keys = 1) {
  into.begin(3 + arguments);
  if (names != nullptr) {
    into.word("EVALSHA").word(names->at(which));
  } else {
    into.word("EVAL").word(text_of(which));
  }
  return into.word(keys);
}

stored_response place_of(const outcome_completed& done) {
  if (done.response == nullptr) return stored_response::none;
  const bool fits = done.response->size() <= response_inside_bytes_max && done.retention >= done.retention_tombstone;
  return fits ? stored_response::inside : stored_response::beside;
}

struct encoder {
  requests& into;
  const encoding& how;
  std::uint64_t floor;
  const script_names* names;

  void operator()(const claim& what) const {
    begin(script::claim, what.key, 8).word(what.attempt.bytes).word(ms_of(what.lease)).word(ms_of(what.retention));
    into.word(*what.fingerprint);
    if (what.over_unknown) {
      into.word(what.over_unknown->bytes);
    } else {
      into.word("");
    }
    into.word(floor).word(digit(how.waits_for_replicas));
  }

  void operator()(const renew& what) const { change(script::renew, what, 4).word(ms_of(what.lease)); }

  void operator()(const complete& what) const {
    if (const auto* open = std::get_if<outcome_unknown>(&what.outcome)) {
      change(script::give_up, what, 4).word(ms_of(open->retention));
      return;
    }
    const auto& done = std::get<outcome_completed>(what.outcome);
    change(script::complete, what, 8).word(ms_of(done.retention)).word(ms_of(done.retention_tombstone));
    const stored_response place = place_of(done);
    into.word(*done.tombstone).word(static_cast<int>(place));
    switch (place) {
      case stored_response::none:
        into.word("");
        return;
      case stored_response::inside:
        into.word(*done.response);
        return;
      case stored_response::beside:
        into.word(response_name(what.key, what.attempt, *done.response));
        return;
    }
  }

  void operator()(const release& what) const { change(script::release, what, 3); }

  void operator()(const find& what) const { begin(script::find, what.key, 1); }

  void operator()(const list_unknown&) const { not_about_one_record(); }
  void operator()(const purge&) const { not_about_one_record(); }

 private:
  requests& begin(script which, const record_key& key, std::size_t arguments) const {
    return begin_script(into, which, arguments, names).word(record_name(key).text());
  }

  template <typename Command>
  requests& change(script which, const Command& what, std::size_t arguments) const {
    return begin(which, what.key, arguments).word(what.attempt.bytes).word(digit(how.waits_for_replicas));
  }

  static void not_about_one_record() { onceward_assert(false && "a command that has no record"); }
};

}  // namespace

void add_command(requests& into, const command& what, const encoding& how, std::uint64_t floor,
                 const script_names* names) {
  std::visit(encoder{into, how, floor, names}, what);
}

bool may_go_with_others(const command& what) {
  if (const auto* asked = std::get_if<claim>(&what)) return !asked->over_unknown;
  const auto* ended = std::get_if<complete>(&what);
  return ended != nullptr && std::holds_alternative<outcome_completed>(ended->outcome) && !has_response_beside(what);
}

bool may_share_script(const command& one, const command& other) {
  if (one.index() != other.index()) return false;
  if (const auto* asked = std::get_if<claim>(&one)) {
    const auto& beside = std::get<claim>(other);
    return asked->lease == beside.lease && asked->retention == beside.retention;
  }
  const auto& first = std::get<outcome_completed>(std::get<complete>(one).outcome);
  const auto& second = std::get<outcome_completed>(std::get<complete>(other).outcome);
  return first.retention == second.retention && first.retention_tombstone == second.retention_tombstone &&
         place_of(first) == place_of(second);
}

void add_commands(requests& into, std::span<const command* const> what, std::uint64_t floor,
                  const script_names* names) {
  const bool are_claims = std::holds_alternative<claim>(*what.front());
  const script which = are_claims ? script::claim_many : script::complete_many;
  begin_script(into, which, 3 + 3 * what.size(), names, what.size());
  for (const command* each : what)
    into.word(record_name(are_claims ? std::get<claim>(*each).key : std::get<complete>(*each).key).text());
  if (are_claims) {
    const auto& first = std::get<claim>(*what.front());
    into.word(floor).word(ms_of(first.lease)).word(ms_of(first.retention));
  } else {
    const auto& first = std::get<outcome_completed>(std::get<complete>(*what.front()).outcome);
    into.word(ms_of(first.retention)).word(ms_of(first.retention_tombstone)).word(static_cast<int>(place_of(first)));
  }
  for (const command* each : what) {
    if (are_claims) {
      const auto& asked = std::get<claim>(*each);
      into.word({running_begin, bytes_of(asked.attempt), first_number});
      into.word({part_size(*asked.fingerprint).text(), *asked.fingerprint, no_tombstone_no_response});
    } else {
      const auto& ended = std::get<complete>(*each);
      const auto& done = std::get<outcome_completed>(ended.outcome);
      const auto response = done.response == nullptr ? std::string_view() : std::string_view(*done.response);
      into.word({running_begin, bytes_of(ended.attempt)});
      into.word({part_size(*done.tombstone).text(), *done.tombstone, part_size(response).text(), response});
    }
  }
}

void add_script(requests& into, const encoded& what, const script_names* names) {
  begin_script(into, what.which, what.arguments.size(), names);
  for (const std::string& each : what.arguments)
    into.word(each);
}

bool has_response_beside(const command& what) {
  const auto* ended = std::get_if<complete>(&what);
  const auto* done = ended == nullptr ? nullptr : std::get_if<outcome_completed>(&ended->outcome);
  return done != nullptr && place_of(*done) == stored_response::beside;
}

void add_response(requests& into, const complete& what, const script_names* names) {
  const auto& done = std::get<outcome_completed>(what.outcome);
  begin_script(into, script::put, 3, names).word(response_name(what.key, what.attempt, *done.response));
  into.word(*done.response).word(ms_of(done.retention + beside_margin));
}

bool may_end_attempt(const command& what) {
  return std::holds_alternative<complete>(what) || std::holds_alternative<release>(what);
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

std::string word_of_ends(const std::string& sender, std::span<const record_key> keys) {
  std::string word = sender;
  word.reserve(sender.size() + keys.size_bytes());
  for (const record_key& each : keys)
    word.append(reinterpret_cast<const char*>(each.bytes.data()), each.bytes.size());
  return word;
}

std::vector<record_key> keys_told(std::string_view word, const std::string& sender) {
  constexpr std::size_t key_bytes = sizeof(record_key::bytes);
  if (word.size() < sender.size() || (word.size() - sender.size()) % key_bytes != 0) return {};
  if (word.starts_with(sender)) return {};
  std::vector<record_key> keys;
  for (word.remove_prefix(sender.size()); !word.empty(); word.remove_prefix(key_bytes))
    std::memcpy(keys.emplace_back().bytes.data(), word.data(), key_bytes);
  return keys;
}

}  // namespace onceward::redis
