// The command line: what there is, what it is called, and who does it.
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "check_config.h"
#include "demo.h"
#include "exit_codes.h"
#include "migrate_store.h"
#include "run.h"
#include "verify_journal.h"

namespace {

constexpr const char* footer = R"(Examples:
  onceward run --upstream http://127.0.0.1:9000
  onceward run --config onceward.yaml --listen 0.0.0.0:8080
  onceward check-config onceward.yaml
  onceward store migrate --config onceward.yaml
  onceward verify ./data
  onceward demo

Exit codes: 0 good; 1 it could not start or go on; 2 wrong command line or configuration.
SIGTERM and SIGINT drain: no new requests, what runs is finished; a second one stops at once. SIGHUP is ignored.)";

void add_run(CLI::App& program, onceward::app::run_options& options) {
  CLI::App* run = program.add_subcommand("run", "Runs the gateway in front of an HTTP API");
  run->add_option("--config", options.config, "YAML file; the other flags beat what it says")->type_name("FILE");
  run->add_option("--listen", options.listen, "Where clients connect [127.0.0.1:8080]")->type_name("HOST:PORT");
  run->add_option("--upstream", options.upstreams, "The API, http://HOST[:PORT]; may be given several times")
      ->type_name("URL")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  run->add_option("--data", options.data, "Folder of the journal [./data]")->type_name("DIR");
  run->add_option("--admin", options.admin, "Admin listener, or off [127.0.0.1:9901]")->type_name("HOST:PORT");
}

void add_demo(CLI::App& program, onceward::app::demo_options& options) {
  CLI::App* demo = program.add_subcommand(
      "demo", "Shows a duplicate charge without onceward, its disappearance with it, and kill -9 in the middle");
  demo->add_flag("--keep-running", options.keep_running,
                 "Then leaves a gateway and a demo API running, to try by hand");
  demo->add_option("--listen-port", options.listen_port, "Of that gateway [8080]");
  demo->add_option("--admin-port", options.admin_port, "Of its admin listener [9901]");
  demo->add_option("--api-port", options.api_port, "Of the demo API [9000]");
  demo->add_option("--data", options.data, "Folder of its journal [./data]");
}

void add_verify(CLI::App& program, onceward::app::verify_options& options) {
  CLI::App* verify = program.add_subcommand("verify", "Checks a journal that nobody has open, and changes nothing");
  verify->add_option("DIR", options.directory, "Folder of the journal")->required();
  verify->add_flag("--repair", options.repair,
                   "Where it is damaged, makes a sound one of all that can be read; keeps the old files beside it");
  verify->add_flag("--json", options.json, "The check's result as JSON");
  verify->footer("Exit codes: 0 sound, or repaired; 1 damaged, or not repaired; 2 it could not be looked at.");
}

CLI::App* add_store_migrate(CLI::App& program, std::string& config) {
  CLI::App* store = program.add_subcommand("store", "Looks after the store of a configuration");
  store->require_subcommand(1);
  CLI::App* migrate =
      store->add_subcommand("migrate", "Makes the schema of a PostgreSQL store; does nothing to others");
  migrate->add_option("--config", config, "YAML file")->type_name("FILE")->required();
  return migrate;
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App program("onceward: makes any HTTP API safe to retry", "onceward");
  program.set_version_flag("--version", "onceward " ONCEWARD_VERSION);
  program.footer(footer);
  program.require_subcommand(1);
  onceward::app::run_options run_options;
  onceward::app::demo_options demo_options;
  std::string checked;
  std::string migrated;
  add_run(program, run_options);
  add_demo(program, demo_options);
  onceward::app::verify_options verify_options;
  add_verify(program, verify_options);
  const CLI::App* migrate = add_store_migrate(program, migrated);
  program.add_subcommand("check-config", "Says what is wrong with a configuration file, with line and column")
      ->add_option("FILE", checked)
      ->required();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return program.exit(wrong) == 0 ? onceward::app::exit_good : onceward::app::exit_misconfigured;
  }
  if (program.got_subcommand("run")) return onceward::app::run(run_options);
  if (migrate->parsed()) return onceward::app::migrate_store(migrated);
  if (program.got_subcommand("verify")) return onceward::app::verify_journal(verify_options);
  if (program.got_subcommand("check-config")) return onceward::app::check_config(checked);
  return onceward::app::run_demo(demo_options);
} catch (const std::exception& failure) {
  std::fprintf(stderr, "onceward: %s\n", failure.what());
  return onceward::app::exit_failed;
}
