#include "tests/simulation/process.h"

#include <utility>

namespace onceward::simulation {
namespace {

constexpr std::int64_t million = 1'000'000;

// 2026-01-01, where every run begins.
constexpr wall_time first_day{std::chrono::milliseconds{1'767'225'600'000}};

}  // namespace

process* process::current_ = nullptr;

process::process(schedule& time, network& net, std::uint64_t seed, clock_error error)
    : time_(time), net_(net), random_(seed), error_(error), born_(time.now()), life_(std::make_shared<life>()) {
  clock_at_birth_ = base::moment(std::chrono::hours(random_.between(1, 1000)));
}

process::~process() {
  end();
}

void process::run(const std::function<void()>& what) {
  process* const before = std::exchange(current_, this);
  what();
  current_ = before;
}

void process::post(base::moment::duration delay, schedule::work what) {
  time_.in(delay, [this, mine = life_, work = std::move(what)]() mutable {
    if (mine->ended) return;
    if (stopped()) {
      mine->missed.push_back(std::move(work));
      return;
    }
    run(work);
  });
}

void process::stop_until(base::moment when) {
  life_->stopped_until = when;
  time_.at(when, [this, mine = life_] {
    if (!mine->ended && !stopped()) go_on();
  });
}

void process::go_on() {
  const std::shared_ptr<life> mine = life_;
  for (schedule::work& each : std::exchange(mine->missed, {})) {
    if (mine->ended) return;
    if (stopped()) {
      mine->missed.push_back(std::move(each));
    } else {
      run(each);
    }
  }
}

void process::at_next(delicate_moment when, schedule::work what) {
  awaited_ = when;
  at_awaited_ = std::move(what);
}

void process::reached(delicate_moment which) {
  if (which != awaited_) return;
  if (const schedule::work what = std::exchange(at_awaited_, nullptr)) what();
}

void process::end() {
  life_->ended = true;
  life_->missed.clear();
}

base::moment process::at(base::moment true_time) const {
  const std::int64_t lived = (true_time - born_).count();
  return clock_at_birth_ + base::moment::duration(lived + lived * error_.drift_ppm / million);
}

base::moment process::true_time_of(base::moment when) const {
  const std::int64_t shown = (when - clock_at_birth_).count();
  const std::int64_t lived = (shown * million + million + error_.drift_ppm - 1) / (million + error_.drift_ppm);
  return born_ + base::moment::duration(lived);
}

wall_time process::wall_now() const {
  return first_day + std::chrono::floor<std::chrono::milliseconds>(time_.now().time_since_epoch()) + wall_offset_;
}

}  // namespace onceward::simulation
