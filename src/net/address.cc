#include "net/address.h"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

namespace onceward::net {
namespace {

using name_lookup = boost::asio::ip::basic_resolver<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

template <typename Results>
result<std::vector<address>> addresses_of(const boost::system::error_code& error, const Results& found) {
  namespace ae = boost::asio::error;
  if (error == ae::host_not_found || error == ae::no_data) return tl::unexpected(errc::not_found);
  if (error) return tl::unexpected(errc::unavailable);
  std::vector<address> all;
  for (const auto& entry : found) {
    const address one = entry.endpoint();
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
  if (all.empty()) return tl::unexpected(errc::not_found);
  return all;
}

}  // namespace

std::string to_string(const address& where) {
  const std::string ip = where.address().to_string();
  const std::string port = std::to_string(where.port());
  return where.address().is_v6() ? "[" + ip + "]:" + port : ip + ":" + port;
}

std::optional<address> parse_address(std::string_view host, std::uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(host, error);
  if (error) return std::nullopt;
  return address(ip, port);
}

result<std::vector<address>> resolve_now(const std::string& host, std::uint16_t port) {
  if (const auto literal = parse_address(host, port)) return std::vector<address>{*literal};
  boost::asio::io_context context;
  name_lookup lookup(context.get_executor());
  boost::system::error_code error;
  const auto found = lookup.resolve(host, std::to_string(port), name_lookup::numeric_service, error);
  return addresses_of(error, found);
}

struct resolver::state {
  explicit state(loop& owner) : on(owner), lookup(owner.context().get_executor()) {}
  loop& on;
  name_lookup lookup;
  bool open = true;
};

resolver::resolver(loop& owner) : state_(std::make_shared<state>(owner)) {}

resolver::~resolver() {
  state_->open = false;
  state_->lookup.cancel();
}

void resolver::resolve(const std::string& host, std::uint16_t port, handler on_resolved) {
  state_->lookup.async_resolve(
      host, std::to_string(port), name_lookup::numeric_service,
      [state = state_, done = std::move(on_resolved)](const boost::system::error_code& error, const auto& found) {
        if (!state->open) return;
        state->on.refresh_now();
        done(addresses_of(error, found));
      });
}

}  // namespace onceward::net
