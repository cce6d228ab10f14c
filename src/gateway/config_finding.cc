#include "gateway/config_finding.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/ascii.h"

namespace onceward::gateway {

bool has_errors(const config_findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const config_finding& one) { return one.severity == config_severity::error; });
}

std::string describe(const config_finding& finding, std::string_view file) {
  const std::string_view severity = finding.severity == config_severity::error ? "error" : "warning";
  if (finding.where.line == 0) return fmt::format("{}: {}: {}", file, severity, finding.text);
  return fmt::format("{}:{}:{}: {}: {}", file, finding.where.line, finding.where.column, severity, finding.text);
}

std::string printable(std::string_view text) {
  constexpr std::size_t bytes_shown_max = 60;
  std::string shown;
  for (const char c : text.substr(0, bytes_shown_max)) {
    if (c == ' ' || base::is_visible(c)) {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > bytes_shown_max) shown += "...";
  return shown;
}

std::string in_quotes(std::string_view text) {
  return "`" + printable(text) + "`";
}

}  // namespace onceward::gateway
