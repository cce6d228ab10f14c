#include "tests/fuzz/byte_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace onceward::fuzz {

class byte_stream::end final : public net::transport {
 public:
  explicit end(std::shared_ptr<byte_stream> of) : of_(std::move(of)) {}
  end(const end&) = delete;
  end& operator=(const end&) = delete;
  ~end() override {
    of_->over_ = true;
    of_->user_ = nullptr;
  }

  void set_user(net::transport_user* user) override { of_->user_ = user; }

  net::transfer receive(std::span<char> into) override {
    onceward_assert(!into.empty());
    std::string& from = of_->to_receive_;
    if (from.empty()) return {of_->ended_ ? net::transfer_status::ended : net::transfer_status::would_block};
    const std::size_t bytes = std::min(into.size(), from.size());
    std::memcpy(into.data(), from.data(), bytes);
    from.erase(0, bytes);
    return {net::transfer_status::moved, bytes};
  }

  net::transfer send(std::string_view bytes) override {
    onceward_assert(!bytes.empty() && !of_->over_);
    if (std::exchange(of_->choked_, !of_->choked_)) return {net::transfer_status::would_block};
    const std::string_view taken = bytes.substr(0, of_->taken_at_once_);
    of_->sent_ += taken;
    return {net::transfer_status::moved, taken.size()};
  }

  void await_readable() override { of_->readable_awaited_ = true; }
  void await_writable() override { of_->writable_awaited_ = true; }
  void await_lost() override {}
  void end_sending() override { of_->over_ = true; }
  void reset_on_close() override {}
  bool is_known_quiet() const override { return false; }
  std::string_view peer_ip() const override { return "192.0.2.1"; }

 private:
  std::shared_ptr<byte_stream> of_;
};

std::unique_ptr<net::transport> byte_stream::make_transport() {
  return std::make_unique<end>(shared_from_this());
}

bool byte_stream::tell() {
  if (user_ == nullptr) return false;
  if (writable_awaited_) {
    writable_awaited_ = false;
    user_->on_writable();
    return true;
  }
  if (!readable_awaited_ || (to_receive_.empty() && !ended_)) return false;
  readable_awaited_ = false;
  user_->on_readable();
  return true;
}

}  // namespace onceward::fuzz
