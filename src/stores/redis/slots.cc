#include "stores/redis/slots.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace onceward::redis {
namespace {

// CRC-16/XMODEM: polynomial 0x1021, from 0.
constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x8000u) != 0 ? (crc << 1) ^ 0x1021u : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}

constexpr auto table = make_table();

std::uint16_t crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (const char each : bytes)
    crc = ((crc << 8) & 0xffffu) ^ table[((crc >> 8) ^ static_cast<unsigned char>(each)) & 0xffu];
  return static_cast<std::uint16_t>(crc);
}

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<address> node_in(const value& told, const address& asked) {
  if (told.items.size() < 2 || !told.items[1].is(value::kind::number)) return std::nullopt;
  const std::int64_t port = told.items[1].number;
  if (port <= 0 || port > 65'535) return std::nullopt;
  const std::string& host = told.items[0].text;
  return address{host.empty() || host == "?" ? asked.host : host, static_cast<std::uint16_t>(port)};
}

}  // namespace

std::string to_text(const address& where) {
  const bool is_ipv6 = where.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

std::optional<address> read_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = read_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  return address{std::string(text.substr(0, colon)), *port};
}

std::size_t slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % slot_count;
}

std::optional<redirection> read_redirection(std::string_view error, const address& asked) {
  const bool for_good = error.starts_with("MOVED ");
  if (!for_good && !error.starts_with("ASK ")) return std::nullopt;
  error.remove_prefix(error.find(' ') + 1);
  const std::size_t space = error.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto slot = read_number<std::size_t>(error.substr(0, space));
  auto to = read_address(error.substr(space + 1));
  if (!slot || *slot >= slot_count || !to) return std::nullopt;
  if (to->host.empty() || to->host == "?") to->host = asked.host;
  return redirection{for_good, *slot, *std::move(to)};
}

bool slot_table::read(const value& told, const address& asked) {
  if (!told.is(value::kind::list)) return false;
  slot_table fresh;
  for (const value& range : told.items) {
    if (range.items.size() < 3) return false;
    const std::int64_t first = range.items[0].number, last = range.items[1].number;
    if (first < 0 || last < first || last >= static_cast<std::int64_t>(slot_count)) return false;
    const auto node = node_in(range.items[2], asked);
    if (!node || fresh.nodes_.size() >= nodes_max) return false;
    const std::uint16_t place = fresh.place_of(*node);
    std::fill(fresh.owners_.begin() + first, fresh.owners_.begin() + last + 1, place);
  }
  *this = std::move(fresh);
  return true;
}

void slot_table::move(std::size_t slot, const address& to) {
  if (nodes_.size() < nodes_max) owners_[slot] = place_of(to);
}

const address* slot_table::node_of(std::size_t slot) const {
  const std::uint16_t place = owners_[slot];
  return place == nobody ? nullptr : &nodes_[place];
}

std::uint16_t slot_table::place_of(const address& node) {
  const auto known = std::find(nodes_.begin(), nodes_.end(), node);
  if (known != nodes_.end()) return static_cast<std::uint16_t>(known - nodes_.begin());
  nodes_.push_back(node);
  return static_cast<std::uint16_t>(nodes_.size() - 1);
}

}  // namespace onceward::redis
