#include "tests/simulation/network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace onceward::simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// How long bytes are on their way: mostly not long.
microseconds some_latency(dice& random) {
  if (random.below(64) == 0) return microseconds(random.between(5'000, 80'000));
  return microseconds(random.between(50, 1'500));
}

constexpr std::size_t send_bytes_max = 16u << 10;
constexpr std::size_t put_off_bytes_max = 16u << 10;

}  // namespace

// ---- The end in a process ------------------------------------------------------------------------------------------

class wire::end_in_process final : public net::transport, private put_off_sends::sender {
 public:
  end_in_process(std::shared_ptr<wire> of, net::loop& on) : wire_(std::move(of)), loop_(on) { wire_->inside_ = this; }

  ~end_in_process() override {
    forget_put_off();
    wire_->inside_ = nullptr;
    if (wire_->lost_) return;
    // Data that nobody has read makes the kernel reset the connection.
    if (reset_ || !wire_->in_bytes_.empty()) {
      wire_->time_.at(wire_->arrival(wire_->last_out_), [of = wire_] { of->break_both(); });
    } else {
      end_sending();
    }
  }

  void set_user(net::transport_user* user) override { user_ = user; }

  net::transfer receive(std::span<char> into) override {
    if (wire_->lost_) return {net::transfer_status::failed};
    std::string& bytes = wire_->in_bytes_;
    if (bytes.empty()) return {wire_->in_ended_ ? net::transfer_status::ended : net::transfer_status::would_block};
    const std::size_t moved = std::min(bytes.size(), into.size());
    std::memcpy(into.data(), bytes.data(), moved);
    bytes.erase(0, moved);
    return {net::transfer_status::moved, moved};
  }

  net::transfer send(std::string_view bytes) override {
    onceward_assert(!bytes.empty());
    if (put_off_) return {net::transfer_status::would_block};
    if (const auto made = std::exchange(made_, std::nullopt)) {
      onceward_assert(bytes.starts_with(made->bytes));
      return *made->outcome;
    }
    // What a process sends in its last moments, after its end, nobody gets.
    if (process_of(loop_).ended()) return {net::transfer_status::moved, bytes.size()};
    if (bytes.size() <= put_off_bytes_max && wire_->random_.below(2) == 0 && sends_of(loop_).add(*this)) {
      put_off_ = put_off_send{.bytes = std::string(bytes), .outcome = std::nullopt};
      reached(delicate_moment::send_put_off);
      return {net::transfer_status::would_block};
    }
    return send_now(bytes);
  }

  bool is_known_quiet() const override { return !wire_->lost_ && wire_->in_bytes_.empty() && !wire_->in_ended_; }

  void await_readable() override { await(readable_); }
  void await_writable() override { await(writable_); }
  void await_lost() override { await(lost_); }

  void end_sending() override {
    forget_put_off();
    if (std::exchange(sending_ended_, true)) return;
    wire_->time_.at(wire_->arrival(wire_->last_out_), [of = wire_] {
      if (!of->lost_ && of->outside_ != nullptr) of->outside_->on_ended();
    });
  }
  void reset_on_close() override { reset_ = true; }
  std::string_view peer_ip() const override { return "192.0.2.1"; }

  // Tells the user, later, what it waits for and is so. One thing at a time: being told may be the end of this.
  void tell() {
    if (telling_) return;
    telling_ = true;
    post_to(loop_, microseconds(2), [of = wire_] {
      if (of->inside_ != nullptr) of->inside_->tell_now();
    });
  }

 private:
  struct put_off_send {
    std::string bytes;
    std::optional<net::transfer> outcome;  // None: not sent, or not yet.
  };

  net::transfer send_now(std::string_view bytes) {
    if (wire_->lost_) return {net::transfer_status::failed};
    // A kernel's buffer that is nearly full takes a part, and the rest later.
    if (wire_->random_.below(32) == 0 && !std::exchange(took_part_, true)) {
      bytes = bytes.substr(0, 1 + wire_->random_.below(bytes.size()));
      reached(delicate_moment::sent_in_part);
    } else if (took_part_) {
      took_part_ = false;
      return {net::transfer_status::would_block};
    }
    bytes = bytes.substr(0, send_bytes_max);
    wire_->out_bytes_ += bytes;
    wire_->time_.at(wire_->arrival(wire_->last_out_), [of = wire_, size = bytes.size()] {
      const std::string arrived = of->out_bytes_.substr(0, size);
      of->out_bytes_.erase(0, size);
      if (of->lost_) return;
      const std::size_t passed = of->pass(size);
      if (of->outside_ != nullptr && passed > 0) of->outside_->on_bytes(std::string_view(arrived).substr(0, passed));
      if (passed < size) of->break_both();
    });
    return {net::transfer_status::moved, bytes.size()};
  }

  bool still_sends() const { return user_ == nullptr || user_->still_sends(); }

  void forget_put_off() {
    if (std::exchange(put_off_, std::nullopt)) sends_of(loop_).forget(*this);
  }

  void send_put_off() override {
    if (!still_sends()) return;
    put_off_->outcome = send_now(put_off_->bytes);
    if (put_off_->outcome->status == net::transfer_status::moved) reached(delicate_moment::sent);
  }

  void on_sent() override {
    put_off_send told = *std::exchange(put_off_, std::nullopt);
    const bool withdrawn = !told.outcome;
    if (!withdrawn && told.outcome->status == net::transfer_status::would_block) {
      if (writable_) tell();
      return;
    }
    if (withdrawn) {
      saw(sometimes::put_off_send_withdrawn);
    } else {
      if (told.outcome->status == net::transfer_status::moved && !still_sends())
        saw(sometimes::told_of_a_send_after_its_lease);
      made_ = std::move(told);
    }
    if (!std::exchange(writable_, false) || user_ == nullptr) return;
    withdrawn ? user_->on_withdrawn() : user_->on_writable();
  }

  void reached(delicate_moment which) {
    if (wire_->leads_to_upstream_) process_of(loop_).reached(which);
  }

  void saw(sometimes what) { process_of(loop_).net().saw(what); }

  void await(bool& awaited) {
    awaited = true;
    tell();
  }

  void tell_now() {
    telling_ = false;
    const bool is_readable = wire_->lost_ || wire_->in_ended_ || !wire_->in_bytes_.empty();
    const auto tell_if = [&](bool& awaited, bool is_so, void (net::transport_user::*what)()) {
      if (!awaited || !is_so) return false;
      awaited = false;
      if (readable_ || writable_ || lost_) tell();
      run_on(loop_, [&] {
        if (user_ != nullptr) (user_->*what)();
      });
      return true;
    };
    static_cast<void>(tell_if(readable_, is_readable, &net::transport_user::on_readable) ||
                      tell_if(writable_, !put_off_, &net::transport_user::on_writable) ||
                      tell_if(lost_, wire_->lost_, &net::transport_user::on_lost));
  }

  const std::shared_ptr<wire> wire_;
  net::loop& loop_;
  net::transport_user* user_ = nullptr;
  bool readable_ = false;  // What the user waits for.
  bool writable_ = false;
  bool lost_ = false;
  bool telling_ = false;
  bool sending_ended_ = false;
  bool reset_ = false;
  bool took_part_ = false;
  std::optional<put_off_send> put_off_;  // What became of it is known when it is sent, and told a little later.
  std::optional<put_off_send> made_;     // For the next send().
};

// ---- The wire ------------------------------------------------------------------------------------------------------

wire::wire(schedule& time, std::uint64_t seed, outsider* outside) : time_(time), random_(seed), outside_(outside) {}

base::moment wire::arrival(base::moment& last) {
  last = std::max(last, time_.now() + some_latency(random_));
  return last;
}

std::size_t wire::pass(std::size_t bytes) {
  const std::size_t passed =
      cut_after_ && passed_ + bytes > *cut_after_ ? *cut_after_ - std::min(passed_, *cut_after_) : bytes;
  passed_ += passed;
  return passed;
}

void wire::send(std::string_view bytes) {
  time_.at(arrival(last_in_), [self = shared_from_this(), arrived = std::string(bytes)] {
    if (self->lost_) return;
    const std::size_t passed = self->pass(arrived.size());
    self->in_bytes_.append(arrived, 0, passed);
    self->tell_process();
    if (passed < arrived.size()) self->break_both();
  });
}

void wire::end_sending() {
  time_.at(arrival(last_in_), [self = shared_from_this()] {
    self->in_ended_ = true;
    self->tell_process();
  });
}

void wire::reset() {
  time_.at(arrival(last_in_), [self = shared_from_this()] { self->break_both(); });
}

void wire::forget_outsider() {
  outside_ = nullptr;
  reset();
}

void wire::break_both() {
  if (std::exchange(lost_, true)) return;
  in_bytes_.clear();
  tell_process();
  if (outside_ != nullptr) outside_->on_lost();
}

void wire::tell_process() {
  if (inside_ != nullptr) inside_->tell();
}

std::unique_ptr<net::transport> wire::make_transport(net::loop& on) {
  return std::make_unique<end_in_process>(shared_from_this(), on);
}

// ---- The network ---------------------------------------------------------------------------------------------------

std::shared_ptr<wire> network::make_wire(std::uint64_t seed, outsider* outside) {
  auto made = std::make_shared<wire>(time_, seed, outside);
  if (cut_next_) made->cut_after(*std::exchange(cut_next_, std::nullopt));
  return made;
}

std::shared_ptr<wire> network::connect(process& to, outsider& from, std::uint64_t seed) {
  auto made = make_wire(seed, &from);
  std::erase_if(listeners_, [](const auto& each) { return !each->open; });
  std::vector<std::shared_ptr<listening>> open;
  for (const auto& each : listeners_) {
    if (each->owner == &to) open.push_back(each);
  }
  if (open.empty() || to.ended()) {
    made->reset();
    return made;
  }
  const auto chosen = open[dice(seed).below(open.size())];
  post_to(*chosen->on, some_latency(random_), [made, to_whom = chosen] {
    if (!to_whom->open) return made->reset();
    run_on(*to_whom->on, [&] { to_whom->on_accepted(made->make_transport(*to_whom->on)); });
  });
  return made;
}

void network::connect_upstream(net::loop& from, std::uint64_t seed,
                               std::function<void(result<std::unique_ptr<net::transport>>)> on_connected) {
  const auto answer = [&](microseconds after, auto outcome) {
    post_to(from, after,
            [&from, tell = std::move(on_connected), outcome]() mutable { run_on(from, [&] { tell(outcome(from)); }); });
  };
  using made_or_not = result<std::unique_ptr<net::transport>>;
  switch (upstream_->admit()) {
    case admission::silence:
      return;
    case admission::refused:
      return answer(some_latency(random_), [](net::loop&) -> made_or_not { return tl::unexpected(errc::unavailable); });
    case admission::accepted:
      break;
  }
  auto made = make_wire(seed, nullptr);
  made->set_leads_to_upstream();
  upstream_->accept(made);
  answer(some_latency(random_), [made](net::loop& on) -> made_or_not { return made->make_transport(on); });
  process_of(from).reached(delicate_moment::connecting);
}

}  // namespace onceward::simulation
