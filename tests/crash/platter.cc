#include "platter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "stores/journal/sectors.h"

namespace onceward::crash {
namespace {

constexpr std::size_t sector_bytes = journal::sector_bytes;
constexpr std::size_t sectors_per_page = journal::block_bytes / sector_bytes;

// A number below `bound`. Not a library distribution: those differ from one library to the next.
std::size_t below(std::size_t bound, std::mt19937_64& random) {
  return static_cast<std::size_t>(random() % bound);
}

std::span<std::byte> sector_of(std::vector<std::byte>& bytes, std::size_t sector) {
  return std::span(bytes).subspan(sector * sector_bytes, sector_bytes);
}

}  // namespace

void platter::apply(const operation& done) {
  std::visit([this](const auto& each) { apply_one(each); }, done);
}

void platter::apply_one(const create_file& done) {
  before_changes_.push_back(names_);
  names_.insert_or_assign(done.name, done.file);
  files_.insert_or_assign(done.file, std::make_shared<content>());
}

void platter::apply_one(const allot_zeros& done) {
  own(done.file).written.assign(done.bytes, std::byte{0});
}

void platter::apply_one(const write_sectors& done) {
  content& file = own(done.file);
  if (done.offset % journal::block_bytes != 0 || done.bytes.size() % sector_bytes != 0 ||
      done.offset + done.bytes.size() > file.written.size()) {
    std::abort();  // Direct I/O would refuse it, and the journal never writes beyond a preallocated file.
  }
  for (std::size_t done_bytes = 0; done_bytes < done.bytes.size(); done_bytes += sector_bytes) {
    const std::size_t sector = (done.offset + done_bytes) / sector_bytes;
    const auto bytes = sector_of(file.written, sector);
    file.before.try_emplace(sector, bytes.begin(), bytes.end());
    std::memcpy(bytes.data(), done.bytes.data() + done_bytes, sector_bytes);
  }
}

void platter::apply_one(const sync_file& done) {
  own(done.file).before.clear();
}

void platter::apply_one(const rename_file& done) {
  before_changes_.push_back(names_);
  auto moved = names_.extract(done.from);
  names_.insert_or_assign(done.to, moved.mapped());
}

void platter::apply_one(const remove_file& done) {
  before_changes_.push_back(names_);
  names_.erase(done.name);
}

void platter::apply_one(const sync_names&) {
  before_changes_.clear();
}

platter platter::after(cut kind, std::mt19937_64& random) const {
  const std::size_t changes = before_changes_.size();
  const std::size_t kept = kind == cut::keeps_nothing      ? 0
                           : kind == cut::keeps_everything ? changes
                                                           : below(changes + 1, random);
  platter left = with_names(kept);
  for (auto& [number, file] : left.files_) {
    if (!file->before.empty()) file = std::make_shared<content>(left_of(*file, kind, random));
  }
  return left;
}

platter platter::with_names(std::size_t changes_kept) const {
  platter left;
  left.names_ = changes_kept == before_changes_.size() ? names_ : before_changes_[changes_kept];
  for (const auto& [name, number] : left.names_)
    left.files_.emplace(number, files_.at(number));
  return left;
}

void platter::for_each_cut(std::size_t units_max, const std::function<void(platter)>& visit) const {
  struct unit {
    file_number file;
    std::size_t place;  // Of the sector, or of the page.
    bool operator==(const unit&) const = default;
  };
  for (std::size_t kept = 0; kept <= before_changes_.size(); ++kept) {
    const platter all = with_names(kept);
    std::vector<unit> sectors;
    std::vector<unit> pages;
    for (const auto& [number, file] : all.files_) {
      for (const auto& [sector, bytes] : file->before) {
        sectors.push_back({number, sector});
        const unit page{number, sector / sectors_per_page};
        if (pages.empty() || pages.back() != page) pages.push_back(page);
      }
    }
    const bool by_sector = sectors.size() <= units_max;
    const auto& units = by_sector ? sectors : pages;
    if (units.size() > units_max) continue;
    for (std::uint64_t mask = 0; mask < std::uint64_t{1} << units.size(); ++mask) {
      platter left = all;
      for (const auto& [number, file] : all.files_) {
        if (file->before.empty()) continue;
        content& lost = left.own(number);
        for (const auto& [sector, bytes] : file->before) {
          const unit of{number, by_sector ? sector : sector / sectors_per_page};
          const auto index = std::find(units.begin(), units.end(), of) - units.begin();
          if ((mask >> index & 1) == 0) std::memcpy(sector_of(lost.written, sector).data(), bytes.data(), sector_bytes);
        }
        lost.before.clear();
      }
      visit(std::move(left));
    }
  }
}

platter::content platter::left_of(const content& file, cut kind, std::mt19937_64& random) {
  content left{.written = file.written, .before = {}};
  const std::size_t chosen = below(file.before.size() + 1, random);
  const std::uint64_t pages = random();
  std::size_t place = 0;
  for (const auto& [sector, bytes] : file.before) {
    bool is_kept = false;
    switch (kind) {
      case cut::keeps_nothing:
        break;
      case cut::keeps_everything:
        is_kept = true;
        break;
      case cut::keeps_some_sectors:
        is_kept = below(2, random) == 0;
        break;
      case cut::keeps_some_pages:
        is_kept = (pages >> (sector / sectors_per_page % 64) & 1) != 0;
        break;
      case cut::keeps_a_prefix:
        is_kept = place < chosen;
        break;
      case cut::loses_one_sector:
        is_kept = place != chosen;
        break;
      case cut::keeps_one_sector:
        is_kept = place == chosen;
        break;
    }
    if (!is_kept) std::memcpy(sector_of(left.written, sector).data(), bytes.data(), sector_bytes);
    ++place;
  }
  return left;
}

platter::content& platter::own(file_number file) {
  auto& shared = files_.at(file);
  if (shared.use_count() > 1) shared = std::make_shared<content>(*shared);
  return *shared;
}

std::vector<std::string> platter::names() const {
  std::vector<std::string> all;
  for (const auto& [name, number] : names_)
    all.push_back(name);
  return all;
}

std::optional<file_number> platter::find(std::string_view name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

void platter::put(std::string_view name, std::string_view bytes) {
  const file_number number = unused_number();
  const auto made = std::make_shared<content>();
  for (const char each : bytes)
    made->written.push_back(static_cast<std::byte>(each));
  files_.emplace(number, made);
  names_.insert_or_assign(std::string(name), number);
}

}  // namespace onceward::crash
