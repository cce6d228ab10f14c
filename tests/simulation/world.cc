#include "tests/simulation/world.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/record_codec.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/segment_header.h"

namespace onceward::simulation {
namespace {

// However bad it was, everything comes to its end so long after nothing is in the way any more.
constexpr milliseconds healing_bound{120'000};

// A run that makes more noise than this runs in circles.
constexpr std::uint64_t events_max = 400'000;

gateway::settings settings_of(const scenario& about) {
  gateway::settings chosen;
  chosen.listen = {"192.0.2.9", 80};
  chosen.admin.reset();
  chosen.workers = about.workers;
  chosen.upstreams.push_back({"192.0.2.10", 80});
  chosen.defaults = about.rules;
  chosen.timeouts.upstream_response = about.upstream_response;
  chosen.timeouts.drain = milliseconds{1'000};
  chosen.limits.waiters_per_key_max = about.waiters_per_key_max;
  return chosen;
}

gateway::route_table routes_of(const gateway::settings& from) {
  auto made = gateway::route_table::make(from);
  onceward_assert(made.has_value());
  return *std::move(made);
}

// Whether the log ends in a batch that was not written to its end.
bool ends_torn(crash::simulated_disk& on) {
  const auto mounted = on.mount();
  auto found = journal::find_segments(*mounted);
  if (!found) return false;
  const auto pass = [](std::size_t, std::uint64_t, std::string_view) { return true; };
  return journal::scan(*found, pass) && found->end.torn;
}

// Whether a file of the log has been another segment before.
bool has_recycled(const crash::platter& disk) {
  std::uint64_t newest = 0;
  const std::vector<std::string> files = disk.names();
  for (const std::string& each : files) {
    const auto bytes = disk.read(each);
    if (bytes.size() < journal::block_bytes) continue;
    const auto header = journal::decode_segment_header(bytes.first(journal::block_bytes));
    if (header && *header) newest = std::max(newest, (*header)->generation);
  }
  return newest > files.size();
}

// For replies that nobody waits for.
struct nobody final : reply_sink {
  void deliver(std::span<tagged_reply>) override {}
};

}  // namespace

surroundings::surroundings(const scenario& what)
    : about(what),
      config(settings_of(about)),
      log(gateway::log_level::error, [](std::string_view) {}),
      routes(routes_of(config)),
      all(routes.rules(routes.size() - 1), about.keys) {}

world::world(surroundings& around, std::uint64_t seed, bool tell)
    : around_(around),
      about_(around.about),
      seed_(seed),
      random_(seed, {7}),
      tells_(tell),
      sees_(time_, about_.rules, around.all, about_.deduplicates, tells_, seen_),
      net_(time_, seed, seen_),
      upstream_(time_, about_, around.all, sees_, seed),
      clients_around_{
          .time = time_,
          .net = net_,
          .all = around.all,
          .sees = sees_,
          .seed = seed,
          .choose_gateway = [this](dice& random) -> process& { return *slots_[random.below(slots_.size())].runs; },
          .probes = about_.rules.on_unknown == core::unknown_policy::probe} {
  net_.set_upstream(upstream_);
  if (about_.store == store_kind::shared) {
    shared_ = std::make_unique<shared_store>(time_, about_, around.all, sees_, seed);
  } else {
    disk_ = std::make_unique<crash::simulated_disk>();
  }
  slots_.resize(about_.gateways);
  for (unsigned i = 0; i < slots_.size(); ++i)
    slots_[i].number = i;
}

world::~world() {
  clients_.clear();
  for (slot& each : slots_)
    end(each);
}

// ---- Gateways ------------------------------------------------------------------------------------------------------

void world::start(slot& which) {
  ++which.lives;
  const std::uint64_t seed = dice(seed_, {8, which.number, which.lives}).next();
  which.runs = std::make_unique<process>(
      time_, net_, seed,
      process::clock_error{about_.drift_ppm_max == 0 ? 0
                                                     : random_.between(-about_.drift_ppm_max, about_.drift_ppm_max)});
  which.runs->set_wall_offset(wall_offset_);
  which.runs->run([&] {
    if (shared_ != nullptr) {
      which.shared = shared_->connect(*which.runs, which.number);
    } else if (!open_journal(which)) {
      return restart_later(which, milliseconds{300});
    }
    store& records = shared_ != nullptr ? *which.shared : *which.journal;
    which.whole = std::make_unique<gateway::gateway>(gateway::gateway_parts_view{
        .config = around_.config,
        .routes = around_.routes,
        .records = records,
        .secret = operations::secret(),
        .log = around_.log,
        .metrics_text = [](const gateway::gateway_numbers_view&) { return std::string(); }});
    const auto started = which.whole->start();
    onceward_assert(started.has_value());
    which.is_up = true;
    tells_.say(time_.now(), "gateway ", which.number, " runs");
  });
}

bool world::open_journal(slot& which) {
  std::string refusal;
  which.journal = journal_store::open(*which.runs, *disk_, about_, sees_, refusal);
  if (which.journal != nullptr) {
    check_after_opening(which);
    return true;
  }
  tells_.say(time_.now(), "the journal does not open: ", refusal);
  if (!disk_is_faulty_) sees_.report("no-wedge", "the journal does not open: " + refusal);
  disk_is_faulty_ = false;
  disk_ = std::make_unique<crash::simulated_disk>(disk_->snapshot());
  which.runs->end();
  return false;
}

void world::check_after_opening(slot& which) {
  if (which.lives == 1) return;
  for (operation_number each = 0; each < around_.all.count(); ++each) {
    const reply found = which.journal->find_now(around_.all.record_of(each));
    if (!std::holds_alternative<store_failure>(found)) sees_.store_reopened(each, found, which.runs->wall_now());
  }
}

void world::end(slot& which) {
  if (which.runs == nullptr) return;
  which.is_up = false;
  which.runs->end();
  which.runs->run([&] {
    which.whole.reset();
    which.journal.reset();
    which.shared.reset();
  });
}

void world::kill(slot& which, bool power, std::uint64_t luck) {
  if (!which.is_up) return;
  dice random(luck);
  tells_.say(time_.now(), power ? "the power of gateway " : "the process of gateway ", which.number, " is gone");
  sees_.process_ended(which.number);
  if (power) sees_.saw(sometimes::power_lost);
  if (disk_ == nullptr) {
    end(which);
    return restart_later(which, milliseconds(random.between(20, 1'500)));
  }
  leave_disk(which, disk_->snapshot(), power, random);
}

void world::kill_in_commit(slot& which, bool power, std::uint64_t luck) {
  if (!which.is_up) return;
  which.journal->instead_of_next_commit([this, &which, power, luck] {
    dice random(luck);
    sees_.process_ended(which.number);
    if (power) sees_.saw(sometimes::power_lost);
    sees_.saw(sometimes::killed_in_a_commit);
    crash::platter left = disk_->snapshot();
    disk_->keep_history();
    which.journal->commit_for_nobody();
    const crash::disk_history history = disk_->history();
    // Best between a write and its sync.
    const std::uint64_t all = history.operations.size();
    const std::uint64_t done = all > 0 && random.below(2) == 0 ? all - 1 : random.below(all + 1);
    for (std::uint64_t i = 0; i < done; ++i)
      left.apply(history.operations[i]);
    tells_.say(time_.now(), power ? "the power of gateway " : "the process of gateway ", which.number,
               " is gone after ", done, " of ", all, " operations of a commit");
    // Not from inside its own step.
    which.runs->end();
    time_.in(milliseconds{0}, [this, &which, left = std::move(left), power, luck] {
      if (!which.is_up) return;
      dice again(luck + 1);
      leave_disk(which, left, power, again);
    });
  });
}

void world::leave_disk(slot& which, crash::platter left, bool power, dice& random) {
  end(which);
  if (power) {
    std::mt19937_64 cut_random(random.next());
    const crash::cut kind = crash::every_cut[random.below(std::size(crash::every_cut))];
    left = left.after(kind, cut_random);
  }
  disk_ = std::make_unique<crash::simulated_disk>(std::move(left));
  disk_is_faulty_ = false;
  if (power && ends_torn(*disk_)) sees_.saw(sometimes::torn_write_cut_off);
  restart_later(which, milliseconds(random.between(20, 1'500)));
}

void world::drain(slot& which) {
  if (!which.is_up || which.runs->stopped()) return;
  tells_.say(time_.now(), "gateway ", which.number, " is asked to end");
  which.runs->run([&] {
    which.whole->begin_drain([this, &which, life = which.lives] {
      time_.in(milliseconds(1), [this, &which, life] {
        if (!which.is_up || which.lives != life) return;
        tells_.say(time_.now(), "gateway ", which.number, " has ended");
        sees_.process_ended(which.number);
        which.runs->run([&] {
          if (which.journal != nullptr) which.journal->close();
        });
        end(which);
        restart_later(which, milliseconds(20));
      });
    });
  });
}

void world::restart_later(slot& which, milliseconds after) {
  time_.in(after, [this, &which, life = which.lives] {
    if (!which.is_up && which.lives == life) start(which);
  });
}

// ---- Faults --------------------------------------------------------------------------------------------------------

void world::strike(const planned_fault& fault) {
  if (calm_) return;
  dice random(fault.luck);
  slot& which = slots_[random.below(slots_.size())];
  tells_.say(time_.now(), "fault ", fault.number, ": ", to_string(fault.what));
  switch (fault.what) {
    case fault_kind::kill:
    case fault_kind::power_cut: {
      const bool power = fault.what == fault_kind::power_cut;
      if (disk_ != nullptr && random.below(2) == 0) return kill_in_commit(which, power, random.next());
      return kill(which, power, random.next());
    }
    case fault_kind::stop:
      return stop(which, random);
    case fault_kind::drain:
      return drain(which);
    case fault_kind::connection_cut:
      return net_.cut_next_after(random.below(700));
    case fault_kind::upstream_outage:
      upstream_.go_down(random.below(2) == 0);
      return time_.in(milliseconds(random.between(100, 3'000)), [this] { upstream_.come_up(); });
    case fault_kind::idle_end:
      return upstream_.end_idle();
    case fault_kind::disk_error:
      return break_disk(which, random.next());
    case fault_kind::clock_jump:
      return jump_clock(random.next());
    case fault_kind::store_outage:
      if (shared_ == nullptr) return;
      shared_->go_down();
      return time_.in(milliseconds(random.between(50, 2'500)), [this] { shared_->come_up(); });
    case fault_kind::failover:
      if (shared_ == nullptr) return;
      return shared_->fail_over();
    case fault_kind::resolution:
      return resolve(random.next());
  }
}

// At once, or at a moment at which that is worse.
void world::stop(slot& which, dice& random) {
  if (!which.is_up) return;
  const milliseconds span(random.between(50, about_.rules.lease.count() * 2));
  const auto strikes = [this, &which, span](std::string_view when) {
    tells_.say(time_.now(), "gateway ", which.number, " is stopped ", when);
    if (span > about_.rules.lease) sees_.saw(sometimes::stopped_beyond_lease);
    which.runs->stop_until(time_.now() + span);
  };
  switch (random.below(8)) {
    case 0:
      return which.runs->at_next(delicate_moment::connecting, [strikes] { strikes("while it connects"); });
    case 1:
      return which.runs->at_next(delicate_moment::send_put_off, [strikes] { strikes("before it has sent"); });
    case 2:
      return which.runs->at_next(delicate_moment::sent, [strikes] { strikes("when it has sent"); });
    case 3:
      return which.runs->at_next(delicate_moment::sent_in_part, [strikes] { strikes("when it has sent a part"); });
  }
  strikes("now");
}

void world::jump_clock(std::uint64_t luck) {
  const milliseconds by(dice(luck).between(-2 * about_.rules.lease.count(), 2 * about_.rules.lease.count()));
  sees_.saw(sometimes::clock_jumped);
  if (shared_ != nullptr) return shared_->jump(by);
  wall_offset_ += by;
  for (slot& each : slots_)
    each.runs->set_wall_offset(wall_offset_);
}

void world::break_disk(slot& which, std::uint64_t luck) {
  if (disk_ == nullptr || !which.is_up) return;
  dice random(luck);
  disk_is_faulty_ = true;
  if (random.below(4) == 0) {
    disk_->refuse_new_files(true);
  } else {
    disk_->fail_call(disk_->calls() + random.below(8), {errc::io, EIO}, random.below(2) == 0);
  }
  watch_journal(which);
}

// Whoever supervises the process starts it again when its journal has failed.
void world::watch_journal(slot& which) {
  time_.in(milliseconds{200}, [this, &which, life = which.lives] {
    if (which.lives != life || !which.is_up) return;
    if (!which.journal->has_failed()) {
      if (disk_is_faulty_) watch_journal(which);
      return;
    }
    sees_.saw(sometimes::journal_failed);
    kill(which, false, random_.next());
  });
}

// An operator looks at what is unknown, and at the upstream.
void world::resolve(std::uint64_t luck) {
  slot& first = slots_.front();
  if (shared_ == nullptr && (!first.is_up || first.runs->stopped() || first.journal->has_failed())) return;
  static nobody ignores;
  for (operation_number each = 0; each < around_.all.count(); ++each) {
    const reply found = find_now(each);
    const auto* open = std::get_if<record_unknown>(&found);
    const auto known = upstream_.truth(each);
    if (open == nullptr || !known || dice(luck, {each}).below(4) == 0) continue;
    command what = release{around_.all.record_of(each), open->summary.attempt};
    if (*known != 0) {
      sees_.upstream_gave_result(*known, 200);
      const std::string body = "answer=" + std::to_string(*known) + " as an operator says";
      what = complete{around_.all.record_of(each), open->summary.attempt,
                      outcome_completed{core::write_response({200, {}, {}, body}),
                                        core::write_tombstone({200, "/things/answer=" + std::to_string(*known)}),
                                        about_.rules.retention, about_.rules.retention_tombstone}};
    }
    sees_.saw(sometimes::operator_resolved);
    if (shared_ != nullptr) {
      shared_->command_now(what);
    } else {
      first.runs->run([&] { first.journal->submit(what, ignores, 0); });
    }
  }
}

reply world::find_now(operation_number which) {
  const record_key& key = around_.all.record_of(which);
  if (shared_ != nullptr) return shared_->find_now(key);
  reply found;
  slots_.front().runs->run([&] { found = slots_.front().journal->find_now(key); });
  return found;
}

void world::calm_down() {
  tells_.say(time_.now(), "from here on nothing goes wrong");
  calm_ = true;
  net_.calm_down();
  upstream_.calm_down();
  upstream_.come_up();
  if (shared_ != nullptr) {
    shared_->calm_down();
    shared_->come_up();
  }
  if (disk_ != nullptr && disk_is_faulty_) {
    disk_->fail_call(~std::uint64_t{0}, {}, false);
    disk_->refuse_new_files(false);
    disk_is_faulty_ = false;
  }
  for (slot& each : slots_) {
    if (each.runs->stopped()) each.runs->stop_until(time_.now());
    each.runs->at_next({}, nullptr);
    if (each.is_up && each.journal != nullptr) each.journal->instead_of_next_commit(nullptr);
    if (each.is_up && each.journal != nullptr && each.journal->has_failed()) kill(each, false, random_.next());
  }
}

// ---- The run -------------------------------------------------------------------------------------------------------

bool world::run_until(base::moment end) {
  std::uint64_t events = 0;
  while (!sees_.found() && time_.run_next(end)) {
    if (++events > events_max) sees_.report("no-wedge", "the run does not come to its end");
  }
  return !sees_.found();
}

template <typename Done>
bool world::run_until_done(milliseconds bound, Done done) {
  const base::moment end = time_.now() + bound;
  while (time_.now() < end) {
    if (done()) return true;
    if (!run_until(std::min(end, time_.now() + milliseconds{100}))) return false;
  }
  return done();
}

run_result world::run(const plan& what) {
  for (slot& each : slots_)
    start(each);
  clients_.reserve(what.requests.size());
  for (const planned_request& each : what.requests) {
    clients_.push_back(
        std::make_unique<client>(clients_around_, client::wish{.name = each.number,
                                                               .operation = around_.all.number_of(each.scope, each.key),
                                                               .body = each.body,
                                                               .leaves = each.leaves,
                                                               .tries_max = 1 + each.number % 5}));
    time_.at(each.at, [one = clients_.back().get()] { one->begin(); });
  }
  for (const planned_fault& each : what.faults)
    time_.at(each.at, [this, &each] { strike(each); });

  run_until(base::moment(about_.duration));
  if (!sees_.found()) calm_down();
  const auto all_done = [this] { return std::ranges::all_of(clients_, [](const auto& each) { return each->done(); }); };
  if (!sees_.found() && !run_until_done(healing_bound, all_done) && !sees_.found())
    sees_.report("no-wedge", "a client waits for ever");
  if (!sees_.found()) ask_in_the_end();
  if (!sees_.found()) check_in_the_end();
  if (!sees_.found()) sees_.finish();
  return {sees_.found(), tells_.digest(), seen_, tells_.lines()};
}

// Whoever asked asks once more, and is answered.
void world::ask_in_the_end() {
  std::vector<client*> last;
  const std::size_t asked = clients_.size();
  for (std::size_t i = 0; i < asked; ++i) {
    const client::wish before = clients_[i]->wants();
    const bool again = std::ranges::any_of(last, [&](const client* each) {
      return each->wants().operation == before.operation && each->wants().body == before.body;
    });
    if (again) continue;
    clients_.push_back(std::make_unique<client>(
        clients_around_,
        client::wish{1'000 + i, before.operation, before.body, false, std::numeric_limits<std::uint64_t>::max()}));
    last.push_back(clients_.back().get());
    time_.in(milliseconds(random_.between(0, 500)), [one = last.back()] { one->begin(); });
  }
  const auto answered = [&] { return std::ranges::all_of(last, [](const client* each) { return each->answered(); }); };
  if (run_until_done(healing_bound, answered) || sees_.found()) return;
  for (const client* each : last) {
    if (!each->answered())
      sees_.report("no-wedge", around_.all.name_of(each->wants().operation) + ": asked again and again in vain");
  }
}

void world::check_in_the_end() {
  // A claim that stayed in the network may be granted now, to nobody.
  run_until(time_.now() + message_age_max + about_.rules.lease + milliseconds{1'000});
  if (sees_.found()) return;
  const wall_time now = shared_ != nullptr ? shared_->wall_now() : slots_.front().runs->wall_now();
  for (operation_number each = 0; each < around_.all.count(); ++each)
    sees_.store_at_end(each, find_now(each), now);
  if (disk_ != nullptr && has_recycled(disk_->snapshot())) sees_.saw(sometimes::segment_recycled);
  for (const slot& each : slots_) {
    const gateway::gateway_numbers_view numbers = each.whole->numbers();
    if (numbers.waiters != 0) sees_.report("no-wedge", "somebody waits in the end");
    if (numbers.records.bytes > numbers.records.bytes_limit && numbers.records.bytes_limit != 0)
      sees_.report("bounded", "the journal is larger than its limit");
  }
}

}  // namespace onceward::simulation
