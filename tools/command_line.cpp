// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "furrow/errors.hpp"

#include "tools/standard_output.hpp"
#include "tools/suggestion.hpp"

namespace furrow::cli {
namespace {

constexpr const char* kVersionLine = "furrow " FURROW_VERSION_TEXT;
constexpr std::size_t kNameColumn = 36;

/// What stands behind an option in the help.
const std::map<std::string_view, std::string_view>& placeholders() {
  static const std::map<std::string_view, std::string_view> kPlaceholders = {
      {"--ca-file", "FILE"},
      {"--cache-group", "NAME"},
      {"--cache-percentage", "PERCENT"},
      {"--create", "HOW"},
      {"--device", "DEVICE"},
      {"--encoder", "NAME"},
      {"--farm", "DIR"},
      {"--genesis-root", "HEX"},
      {"--idle-time", "SECONDS"},
      {"--listen", "ADDRESS:PORT"},
      {"--manifest", "FILE"},
      {"--nats-ca-file", "FILE"},
      {"--nats-cert", "FILE"},
      {"--nats-credentials", "FILE"},
      {"--nats-key", "FILE"},
      {"--nats-nkey", "KEY"},
      {"--nats-nkey-seed-file", "FILE"},
      {"--nats-password-file", "FILE"},
      {"--nats-server", "URL"},
      {"--nats-token-file", "FILE"},
      {"--nats-user", "NAME"},
      {"--only", "WORDS"},
      {"--out", "PATH"},
      {"--piece", "INDEX"},
      {"--piece-cache", "DIR"},
      {"--piece-cache-size", "SIZE"},
      {"--piece-seconds", "SECONDS"},
      {"--piece-time", "SECONDS"},
      {"--pieces", "STORE"},
      {"--pinned-limit", "SIZE"},
      {"--progress", "HOW"},
      {"--ram-limit", "SIZE"},
      {"--request-time", "SECONDS"},
      {"--simd", "NAME"},
      {"--size", "SIZE"},
      {"--store", "DIR"},
      {"--tls-cert", "FILE"},
      {"--tls-key", "FILE"},
      {"--token-file", "FILE"},
      {"--vram-limit", "SIZE"},
      {"FILE", "PATH"},
      {"command", "COMMAND"},
      {"files", "FILE"},
      {"paths", "PATH"},
  };
  return kPlaceholders;
}

struct Closing {
  std::string_view command;
  std::string_view example;
  std::string_view found_broken;  ///< what exit code 1 means; empty when it does not occur
};
constexpr std::array kClosings = {
    Closing{"archive", "furrow archive --store /data/store ~/documents /etc/hosts", ""},
    Closing{"cluster-pieces",
            "furrow cluster-pieces --nats-server nats://10.0.0.1:4222 --store /data/store", ""},
    Closing{"devices", "furrow devices --check", ""},
    Closing{"extract",
            "furrow extract --farm /data/farm --manifest /data/manifest.json --out /data/restored",
            "done, but the store is damaged"},
    Closing{"find", "furrow find --farm /data/farm --piece 12345", ""},
    Closing{"info", "furrow info --farm /data/farm --json", ""},
    Closing{"pack list", "furrow pack list /data/store/segment-0000000000.pack", ""},
    Closing{"pack stat", "furrow pack stat /data/store/segment-0000000000.pack --json", ""},
    Closing{"pack verify", "furrow pack verify /data/store/segment-0000000000.pack",
            "something in the pack is broken"},
    Closing{"plan", "furrow plan --farm /data/farm --ram-limit 8GiB", ""},
    Closing{"plot", "furrow plot --farm /data/farm --pieces /data/store --size 100GiB",
            "done, but pieces or sectors are broken"},
    Closing{"read", "furrow read --farm /data/farm --sector 3 --offset 0 --out /tmp/piece", ""},
    Closing{"scrub", "furrow scrub --farm /data/farm",
            "something in the farm or the store is broken"},
    Closing{"serve-pieces",
            "furrow serve-pieces --store /data/store --listen 0.0.0.0:8480 --token-file "
            "/etc/furrow/token",
            ""},
    Closing{"vectors", "furrow vectors tests/golden/pos.json --encoder cpu",
            "a vector does not agree"},
};

std::string exit_codes(std::string_view found_broken) {
  std::string text = "Exit codes:\n  0    success\n";
  if (!found_broken.empty()) {
    text += fmt::format("  1    {}\n", found_broken);
  }
  return text +
         "  2    the command line cannot be carried out as given\n"
         "  3    the operating system refused: missing file, permission, full disk\n"
         "  4    stored data is damaged\n"
         "  5    of another identity, chain, version or size than asked for\n"
         "  6    something needed is not there: a lock is held, pieces are missing\n"
         "  70   a defect of Furrow\n"
         "  130  interrupted; what was finished is kept";
}

std::string join(const std::string& front, const std::string& word) {
  return front.empty() || word.empty() ? front + word : front + ' ' + word;
}

void complete_options(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const std::string name =
        option->get_positional() ? option->get_single_name() : "--" + option->get_single_name();
    const auto found = placeholders().find(name);
    const std::string type = option->get_type_name();
    if (found != placeholders().end()) {
      option->type_name(std::string(found->second));
    } else if (type.starts_with("UINT") || type.starts_with("INT")) {
      option->type_name("N");
    }
  }
}

/// `name` is empty for the program itself.
void complete_command(CLI::App& command, const std::string& name) {
  command.get_formatter()->column_width(kNameColumn);
  complete_options(command);
  const auto* closing = std::find_if(kClosings.begin(), kClosings.end(),
                                     [&](const Closing& one) { return one.command == name; });
  if (closing != kClosings.end()) {
    const std::string before = command.get_footer();
    command.footer(fmt::format("{}{}Example:\n  {}\n\n{}", before, before.empty() ? "" : "\n\n",
                               closing->example, exit_codes(closing->found_broken)));
  }
  for (CLI::App* part : command.get_subcommands({})) {
    if (part->get_name().empty()) {
      complete_options(*part);  // a group of options
    } else {
      complete_command(*part, join(name, part->get_name()));
    }
  }
}

std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); })) {
    words.push_back(command->get_name());
  }
  return words;
}

/// A command, and the words that lead to it.
struct Named {
  const CLI::App& command;
  std::string name;
};

/// The command that `words` name, one below the other; throws InvalidArgument when there is none.
Named command_of(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  std::string name;
  for (const std::string& word : words) {
    const std::vector<std::string> known = words_of(*command);
    if (known.empty()) {
      break;  // what follows is for the command
    }
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      const std::string nearest = nearest_word(word, known);
      throw InvalidArgument(fmt::format(
          "unknown command '{}'; {}", join(name, word),
          nearest.empty() ? fmt::format("'furrow {}' lists those there are", join("help", name))
                          : fmt::format("did you mean '{}'?", join(name, nearest))));
    }
    command = command->get_subcommand(word);
    name = join(name, word);
  }
  return {*command, name};
}

void add_help_command(CLI::App& app) {
  const auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* help = app.add_subcommand("help", "Print this, or the help of a command");
  help->add_option("command", *words, "Such as plot, or pack list");
  help->callback([&app, words] {
    const Named named = command_of(app, *words);
    print_result("{}", app.get_formatter()->make_help(&named.command, join("furrow", named.name),
                                                      CLI::AppFormatMode::Normal));
  });
}

void add_version_command(CLI::App& app) {
  app.set_version_flag("-V,--version", kVersionLine);
  app.add_subcommand("version", "Print the version")->callback([] {
    print_result("{}\n", kVersionLine);
  });
}

/// Sees to it that the words in front name a command.
void check_command_words(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    words.emplace_back(argv[i]);
  }
  const bool has_options = words.size() + 1 < static_cast<std::size_t>(std::max(argc, 1));
  const Named named = command_of(app, words);
  if (!words_of(named.command).empty() && !has_options) {
    throw InvalidArgument(
        fmt::format("no command is given behind '{}'; 'furrow {}' lists those there are",
                    join("furrow", named.name), join("help", named.name)));
  }
}

/// Why the command line could not be parsed.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string name;
  for (std::vector<CLI::App*> parsed = command->get_subcommands(); !parsed.empty();
       parsed = command->get_subcommands()) {
    command = parsed.front();
    name = join(name, command->get_name());
  }
  // An option with a typing error is more than another one that is missing because of it.
  for (const std::string& word : app.remaining(true)) {
    if (!word.starts_with('-')) {
      continue;
    }
    std::vector<std::string> known;
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& long_name : option->get_lnames()) {
        known.push_back("--" + long_name);
      }
    }
    const std::string option = word.substr(0, word.find('='));
    return fmt::format("unknown option '{}'{}{}", option,
                       name.empty() ? "" : fmt::format(" of furrow {}", name),
                       did_you_mean(option, known));
  }
  return error.what();
}

}  // namespace

CommandLine::CommandLine()
    : app_(std::make_unique<CLI::App>(
          "Furrow: plots archived history into farms and reads it back.", "furrow")) {}

CommandLine::~CommandLine() = default;

Command CommandLine::program() {
  return Command(*app_);
}

void CommandLine::complete() {
  CLI::App& app = *app_;
  app.require_subcommand(1);
  app.get_help_ptr()->description("Print this and end");
  add_help_command(app);
  add_version_command(app);
  complete_command(app, "");
  app.footer("'furrow help COMMAND' explains one, with an example.\n\n" +
             exit_codes("done, but something was found broken"));
}

std::string CommandLine::run(int argc, const char* const* argv) {
  check_command_words(*app_, argc, argv);
  try {
    app_->parse(argc, argv);
    return "";
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream text;
    app_->exit(help_or_version, text, text);
    return text.str();
  } catch (const CLI::ParseError& error) {
    throw InvalidArgument(explain(*app_, error));
  }
}

}  // namespace furrow::cli
