// Byte streams between processes and those outside them, clients and upstreams, as TCP would carry them: in order and
// whole, but late, in pieces, and until the connection breaks. Sends are put off now and then.
//
// A process sees its end through net/transport.h, as it sees a socket; who is outside is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/process.h"
#include "tests/simulation/put_off_sends.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/sometimes.h"

namespace onceward::simulation {

// The end of a connection that is no simulated process.
class outsider {
 public:
  virtual ~outsider() = default;
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_ended() = 0;  // The process sends no more.
  virtual void on_lost() = 0;   // Reset, or never made.
};

// One connection. Kept alive by whoever has an end of it and by what is on its way.
class wire : public std::enable_shared_from_this<wire> {
 public:
  wire(schedule& time, std::uint64_t seed, outsider* outside);

  // ---- The outsider's end ----

  void send(std::string_view bytes);
  void end_sending();
  void reset();
  // Tells it nothing more, and resets the connection.
  void forget_outsider();
  // Bytes that the process has sent and nobody has got.
  std::string_view on_the_way_out() const { return out_bytes_; }
  bool is_lost() const { return lost_; }

  void set_outsider(outsider* who) { outside_ = who; }

  // Breaks the connection, for both, when so many bytes have arrived on either side.
  void cut_after(std::size_t bytes) { cut_after_ = bytes; }

  // ---- The process's end ----

  void set_leads_to_upstream() { leads_to_upstream_ = true; }
  std::unique_ptr<net::transport> make_transport(net::loop& on);

 private:
  class end_in_process;

  base::moment arrival(base::moment& last);
  // The part of `bytes` that gets through.
  std::size_t pass(std::size_t bytes);
  void break_both();
  void tell_process();

  schedule& time_;
  dice random_;
  outsider* outside_;
  end_in_process* inside_ = nullptr;

  std::string in_bytes_;  // Arrived at the process and not received.
  bool in_ended_ = false;
  std::string out_bytes_;  // Sent by the process and not arrived.
  bool lost_ = false;
  bool leads_to_upstream_ = false;
  std::optional<std::size_t> cut_after_;
  std::size_t passed_ = 0;
  base::moment last_in_{};
  base::moment last_out_{};
};

// What becomes of an attempt to connect to an upstream.
enum class admission { accepted, refused, silence };

// What processes listen on and what they connect to.
class network {
 public:
  struct listening {
    net::loop* on;
    process* owner;
    std::function<void(std::unique_ptr<net::transport>)> on_accepted;
    bool open = true;
  };

  class host {
   public:
    virtual ~host() = default;
    virtual admission admit() = 0;
    // The other end of the new connection; it owns itself, as long as `made` lives.
    virtual void accept(const std::shared_ptr<wire>& made) = 0;
  };

  network(schedule& time, std::uint64_t seed, sometimes_counts& seen) : time_(time), random_(seed), seen_(seen) {}

  // The next connection that is made breaks when so many bytes have arrived on either side.
  void cut_next_after(std::size_t bytes) { cut_next_ = bytes; }
  void calm_down() { cut_next_.reset(); }

  void set_upstream(host& upstream) { upstream_ = &upstream; }

  // A client's connection to a process; told lost where nobody listens.
  std::shared_ptr<wire> connect(process& to, outsider& from, std::uint64_t seed);

  // ---- For the processes' side ----

  void listen(std::shared_ptr<listening> where) { listeners_.push_back(std::move(where)); }
  void connect_upstream(net::loop& from, std::uint64_t seed,
                        std::function<void(result<std::unique_ptr<net::transport>>)> on_connected);

  schedule& time() { return time_; }
  void saw(sometimes what) { seen_.hit(what); }

 private:
  schedule& time_;
  dice random_;
  sometimes_counts& seen_;
  std::shared_ptr<wire> make_wire(std::uint64_t seed, outsider* outside);

  host* upstream_ = nullptr;
  std::optional<std::size_t> cut_next_;
  std::vector<std::shared_ptr<listening>> listeners_;
};

// The process that a loop belongs to.
process& process_of(net::loop& of);
put_off_sends& sends_of(net::loop& of);
// Does `what` on the loop's thread after `delay` of true time, or as soon after that as the thread can.
void post_to(net::loop& on, base::moment::duration delay, schedule::work what);
// There: runs `what` as a handler of the loop, now, unless it has stopped.
void run_on(net::loop& on, const std::function<void()>& what);

}  // namespace onceward::simulation
