// Any bytes as what a server sends: they are replies or refused, however they are cut, and whatever is read from a
// reply stays within its bounds.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "stores/redis/server_error.h"
#include "stores/redis/server_facts.h"
#include "stores/redis/slots.h"
#include "stores/redis/stored_record.h"
#include "stores/redis/value.h"

namespace {

using namespace onceward;
using namespace onceward::redis;

struct reading {
  std::vector<value> values;
  bool failed = false;
};

reading read_in_pieces(std::string_view bytes, std::size_t piece) {
  value_reader reader;
  reading all;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    if (!reader.feed(part)) all.failed = true;
    for (;;) {
      auto told = reader.next();
      if (!told) all.failed = true;
      if (all.failed) return all;
      if (!*told) break;
      all.values.push_back(**std::move(told));
    }
  }
  return all;
}

bool equal(const value& left, const value& right) {
  if (left.what != right.what || left.text != right.text || left.number != right.number) return false;
  if (left.items.size() != right.items.size()) return false;
  for (std::size_t i = 0; i < left.items.size(); ++i) {
    if (!equal(left.items[i], right.items[i])) return false;
  }
  return true;
}

void use(const value& told) {
  const address asked{"asked", 1};
  slot_table table;
  if (table.read(told, asked)) onceward_assert(table.nodes().size() <= told.items.size());
  if (const auto found = read_script_reply(told); found && found->record) {
    onceward_assert(found->changed || found->record->kept.fingerprint != nullptr);
  }
  constexpr std::size_t claims = 2;
  const auto found = read_replies_to_claims(told, claims);
  onceward_assert(found.size() == claims);
  for (const auto& each : found)
    onceward_assert(!each || each->record);
  if (const auto to = read_redirection(told.text, asked)) onceward_assert(to->slot < slot_count && to->to.port != 0);
  static_cast<void>(judge_error(told.text));
  static_cast<void>(read_record(told.text));
  static_cast<void>(read_header(told.text));
  if (const auto facts = read_server_facts(told, told)) {
    static_cast<void>(objection_to(*facts, durability::synced, false));
  }
  for (const value& each : told.items)
    use(each);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const reading whole = read_in_pieces(bytes, size + 1);
  for (const value& each : whole.values)
    use(each);
  const reading cut = read_in_pieces(bytes, 1 + size % 7);
  onceward_assert(cut.failed == whole.failed && cut.values.size() == whole.values.size());
  for (std::size_t i = 0; i < whole.values.size(); ++i)
    onceward_assert(equal(whole.values[i], cut.values[i]));
  return 0;
}
