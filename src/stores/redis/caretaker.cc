#include "stores/redis/caretaker.h"

#include <algorithm>
#include <utility>

#include "core/record.h"
#include "stores/redis/server_error.h"
#include "stores/redis/stored_record.h"

namespace onceward::redis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds count_interval_min{1'000};
// Counting takes at most this part of the time.
constexpr int count_share = 50;
constexpr std::size_t page_names = 500;
constexpr std::size_t list_items_max = 10'000;
constexpr std::size_t tasks_max = 1'000;

std::uint64_t line_in(const std::string& info, std::string_view name) {
  const std::size_t place = info.find("\n" + std::string(name) + ":");
  if (place == std::string::npos) return 0;
  return std::strtoull(info.c_str() + place + 2 + name.size(), nullptr, 10);
}

}  // namespace

record_counts& record_counts::operator+=(const record_counts& other) {
  records += other.records;
  records_unknown += other.records_unknown;
  bytes += other.bytes;
  bytes_limit += other.bytes_limit;
  return *this;
}

caretaker::caretaker(const connection_settings& settings, std::optional<address> node, store_parts& parts,
                     std::function<void(const record_counts&)> counted)
    : parts_(parts),
      counted_(std::move(counted)),
      connection_(settings, {.loads_scripts = true, .node = std::move(node)}, *this) {}

void caretaker::sweep(const sweep_request& wanted, receiver then) {
  if (connection_.is_down() || tasks_.size() >= tasks_max) return then(nullptr);
  tasks_.push_back({.wanted = wanted, .then = std::move(then), .result = {}});
}

base::moment caretaker::due() const {
  return connection_.can_send() ? next_count_ : base::moment::max();
}

void caretaker::work() {
  if (!connection_.can_send()) return;
  if (tasks_.empty() && parts_.now() >= next_count_) {
    next_count_ = base::moment::max();  // Until it is done.
    tasks_.push_back({.wanted = {}, .then = [](const sweep_result*) {}, .result = {}});
  }
  if (!tasks_.empty()) ask_names();
}

// ---- A page --------------------------------------------------------------------------------------------------------

void caretaker::ask_names() {
  task& current = tasks_.front();
  if (!std::exchange(current.begun, true)) current.since = parts_.now();
  under_way_ = asked::names;
  requests ask;
  ask.add("SCAN", current.cursor, "MATCH", record_names, "COUNT", page_names);
  ask.add("TIME");
  if (current.cursor == "0") ask.add("INFO");
  connection_.send(ask, parts_.now());
}

void caretaker::take_names(const std::vector<value>& replies) {
  const value& page = replies[0];
  const value& time = replies[1];
  if (page.items.size() != 2 || time.items.size() != 2) {
    return connection_.drop(page.is(value::kind::error) ? page.text : "the server does not list its keys",
                            parts_.now());
  }
  const std::int64_t seconds = std::strtoll(time.items[0].text.c_str(), nullptr, 10);
  const std::int64_t micros = std::strtoll(time.items[1].text.c_str(), nullptr, 10);
  page_time_ = wall_time{milliseconds{seconds * 1'000 + micros / 1'000}};
  task& current = tasks_.front();
  if (replies.size() > 2) {
    current.result.counts.bytes = line_in(replies[2].text, "used_memory");
    current.result.counts.bytes_limit = line_in(replies[2].text, "maxmemory");
  }
  current.cursor = page.items[0].text;
  names_.clear();
  for (const value& each : page.items[1].items) {
    if (key_in(each.text)) names_.push_back(each.text);
  }
  if (names_.empty()) return end_page();
  ask_headers();
}

void caretaker::ask_headers() {
  under_way_ = asked::headers;
  requests ask;
  for (const std::string& each : names_)
    ask.add("GETRANGE", each, 0, record_header_bytes - 1);
  connection_.send(ask, parts_.now());
}

void caretaker::take_headers(const std::vector<value>& replies) {
  task& current = tasks_.front();
  wanted_.clear();
  expired_.clear();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto header = read_header(replies[i].text);
    if (!header) continue;  // Gone since it was named.
    if (header->expires_at <= page_time_) {
      if (current.wanted.deletes) expired_.push_back(names_[i]);
      continue;
    }
    ++current.result.counts.records;
    const bool is_unknown = header->state == stored_state::unknown ||
                            (header->state == stored_state::in_flight && header->ended_at <= page_time_);
    if (!is_unknown) continue;
    ++current.result.counts.records_unknown;
    if (current.wanted.after && *key_in(names_[i]) > *current.wanted.after) wanted_.push_back(names_[i]);
  }
  if (!ask_records()) end_page();
}

bool caretaker::ask_records() {
  if (wanted_.empty() && expired_.empty()) return false;
  under_way_ = asked::records;
  requests ask;
  for (const std::string& each : wanted_)
    ask.add("GET", each);
  for (const std::string& each : expired_)
    add_script(ask, {script::drop, {each}}, &connection_.scripts());
  connection_.send(ask, parts_.now());
  return true;
}

void caretaker::take_records(const std::vector<value>& replies) {
  task& current = tasks_.front();
  auto& unknown = current.result.unknown;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const auto read = read_record(replies[i].text);
    const auto kept = read ? core::as_of(read->kept, page_time_) : std::nullopt;
    if (!kept || !std::holds_alternative<core::state_unknown>(kept->state)) continue;
    unknown.emplace(*key_in(wanted_[i]), core::summarise(*kept));
    if (unknown.size() > std::min(current.wanted.limit, list_items_max)) unknown.erase(std::prev(unknown.end()));
  }
  for (std::size_t i = wanted_.size(); i < replies.size(); ++i)
    current.result.deleted += replies[i].number == 1 ? 1u : 0u;
  end_page();
}

bool caretaker::is_refused(const std::vector<value>& replies) {
  for (const value& each : replies) {
    if (!each.is(value::kind::error) || judge_error(each.text).what_to_do != remedy::reconnect) continue;
    connection_.drop(each.text, parts_.now());
    return true;
  }
  return false;
}

void caretaker::end_page() {
  if (tasks_.front().cursor != "0") return;
  const task done = std::move(tasks_.front());
  tasks_.pop_front();
  const base::moment now = parts_.now();
  next_count_ = now + std::max<base::monotonic::duration>(count_interval_min, (now - done.since) * count_share);
  counted_(done.result.counts);
  done.then(&done.result);
}

void caretaker::fail_all() {
  for (const task& each : std::exchange(tasks_, {}))
    each.then(nullptr);
  next_count_ = parts_.now() + count_interval_min;
}

void caretaker::give_up() {
  fail_all();
}

// ---- From the connection -------------------------------------------------------------------------------------------

void caretaker::on_connected(const server_facts&) {}

void caretaker::on_replies(std::vector<value> replies) {
  if (tasks_.empty() || is_refused(replies)) return;
  switch (under_way_) {
    case asked::names:
      return take_names(replies);
    case asked::headers:
      return take_headers(replies);
    case asked::records:
      return take_records(replies);
  }
}

void caretaker::on_lost(const std::string& why) {
  fail_all();
  parts_.lost(why);
}

}  // namespace onceward::redis
