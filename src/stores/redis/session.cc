#include "stores/redis/session.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace onceward::redis {
namespace {

constexpr int redirections_max = 5;

base::moment read_clock() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::moment{std::chrono::duration_cast<base::moment::duration>(since_start)};
}

}  // namespace

session::session(const connection_settings& settings) : settings_(settings) {}

tl::expected<std::unique_ptr<session>, std::string> session::open(const connection_settings& settings) {
  std::unique_ptr<session> made(new session(settings));
  if (!made->connect(std::nullopt, settings.where.nodes.size())) return tl::unexpected(made->why_);
  return made;
}

bool session::connect(std::optional<address> node, std::size_t tries) {
  link_ = std::make_unique<connection>(settings_, connection::purpose{.node = std::move(node)},
                                       static_cast<connection_user&>(*this));
  for (; tries > 0; --tries) {
    why_.clear();
    while (!link_->can_send() && why_.empty())
      turn();
    if (link_->can_send()) return true;
  }
  return false;
}

std::optional<std::string> session::move_to(const address& server) {
  return connect(server, 1) ? std::nullopt : std::optional<std::string>(why_);
}

void session::turn() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(link_->due() - read_clock()).count();
  pollfd polled{link_->descriptor(), link_->events(), 0};
  ::poll(&polled, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
  link_->turn(polled.revents, read_clock());
}

tl::expected<value, std::string> session::ask(const requests& what) {
  for (int i = 0; i <= redirections_max; ++i) {
    replies_.clear();
    link_->send(what, read_clock());
    while (replies_.empty() && why_.empty())
      turn();
    if (replies_.empty()) return tl::unexpected(why_);
    value told = std::move(replies_.front());
    if (!told.is(value::kind::error)) return told;
    const auto to = read_redirection(told.text, link_->server());
    if (!to) return tl::unexpected(told.text);
    if (!connect(to->to, 1)) return tl::unexpected(why_);
  }
  return tl::unexpected(std::string("the cluster shows from one node to the next"));
}

}  // namespace onceward::redis
