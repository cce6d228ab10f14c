// Where the keys of a cluster are: a key belongs to one of 16384 slots, and a slot to a node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/redis/value.h"

namespace onceward::redis {

struct address {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const address&, const address&) = default;
};

std::string to_text(const address& where);
// "HOST:PORT", as servers write it; IPv6 without brackets.
std::optional<address> read_address(std::string_view text);

inline constexpr std::size_t slot_count = 16'384;

// CRC16 of the key, or of what is in its first braces.
std::size_t slot_of(std::string_view key);

// "MOVED SLOT HOST:PORT" and "ASK SLOT HOST:PORT". A host that is not told is the one that was asked.
struct redirection {
  bool for_good;  // MOVED.
  std::size_t slot;
  address to;
};
std::optional<redirection> read_redirection(std::string_view error, const address& asked);

// The node of each slot, and whom to ask for those that have none.
class slot_table {
 public:
  // From the reply to CLUSTER SLOTS. False, and nothing changes, for what is no such reply.
  bool read(const value& told, const address& asked);
  void move(std::size_t slot, const address& to);

  // Null where nobody has the slot.
  const address* node_of(std::size_t slot) const;
  const std::vector<address>& nodes() const { return nodes_; }

 private:
  static constexpr std::uint16_t nobody = 0xffff;
  static constexpr std::size_t nodes_max = 1'024;

  std::uint16_t place_of(const address& node);

  std::vector<address> nodes_;
  std::vector<std::uint16_t> owners_ = std::vector<std::uint16_t>(slot_count, nobody);
};

}  // namespace onceward::redis
