/** What a shell is to know of a command. */
export interface CompletedCommand {
  /** Words that call it: "sweep status". */
  readonly name: string;
  readonly summary: string;
  /** Words that its argument is one of; none where it may be anything. */
  readonly words: readonly string[];
  readonly flags: readonly CompletedFlag[];
}

export interface CompletedFlag {
  readonly name: string;
  /** One letter that stands for it. */
  readonly letter: string | undefined;
  readonly description: string;
  readonly takesValue: boolean;
  /** Words that its value is one of; none where it may be anything, such as the name of a file. */
  readonly words: readonly string[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The script that teaches a shell the commands. Where nothing of ours fits, the shell completes
 * names of files.
 */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  if (shell === 'fish') return fishScript(commands);
  // Zsh understands the functions of bash.
  return shell === 'zsh' ? `${ZSH_HEAD}\n${bashScript(commands)}` : bashScript(commands);
}

const ZSH_HEAD = `autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit`;

function bashScript(commands: readonly CompletedCommand[]): string {
  const flagsOf = ({ flags }: CompletedCommand) => flags.map(({ name }) => `--${name}`).join(' ');
  const words = new Map(
    commands.flatMap(({ flags }) =>
      flags.filter((flag) => flag.words.length > 0).map((flag) => [flag.name, flag.words] as const),
    ),
  );
  const valued = new Set(
    commands.flatMap(({ flags }) => flags.filter((f) => f.takesValue).map(({ name }) => name)),
  );
  const plain = [...valued].filter((name) => !words.has(name));
  const values = [...words].map(
    ([name, list]) =>
      `    --${name}) ` +
      `COMPREPLY=($(compgen -P "$before" -W '${list.join(' ')}' -- "$cur")); return ;;`,
  );
  const following = [...nextWords(commands), ...argumentWords(commands)].map(
    ([name, next]) => `      '${name}') COMPREPLY=($(compgen -W '${next.join(' ')}' -- "$cur")) ;;`,
  );
  return `_eos() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  local command='' word i flags=''
  [[ $cur == '=' ]] && cur=''
  [[ $prev == '=' ]] && prev="\${COMP_WORDS[COMP_CWORD-2]}"
  # Zsh does not tell the name of a flag from its value.
  local before=''
  if [[ $cur == --*=* ]]; then
    prev="\${cur%%=*}"
    before="$prev="
    cur="\${cur#*=}"
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${command:+$command }\${COMP_WORDS[i]}"
    case "$word" in
      ${[...prefixes(commands)].map((name) => `'${name}'`).join('|')}) command="$word" ;;
      *) break ;;
    esac
  done
  COMPREPLY=()
  case "$prev" in
${values.join('\n')}
    ${plain.map((name) => `--${name}`).join('|')}) return ;;
  esac
  if [[ $cur == -* ]]; then
    case "$command" in
${commands.map((each) => `      '${each.name}') flags='${flagsOf(each)}' ;;`).join('\n')}
    esac
    COMPREPLY=($(compgen -W "$flags --help" -- "$cur"))
  elif ((i == COMP_CWORD)); then
    case "$command" in
${following.join('\n')}
    esac
  fi
}
complete -o default -o bashdefault -F _eos eos
`;
}

/** All beginnings of commands: "sweep" as well as "sweep status". */
function prefixes(commands: readonly CompletedCommand[]): Set<string> {
  return new Set(
    commands.flatMap(({ name }) => {
      const words = name.split(' ');
      return words.map((_, i) => words.slice(0, i + 1).join(' '));
    }),
  );
}

/** The words that may come after each beginning of a command. */
function nextWords(commands: readonly CompletedCommand[]): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const prefix of prefixes(commands)) {
    const at = prefix.lastIndexOf(' ');
    const before = at < 0 ? '' : prefix.slice(0, at);
    next.set(before, [...(next.get(before) ?? []), prefix.slice(at + 1)]);
  }
  return next;
}

function argumentWords(commands: readonly CompletedCommand[]): [string, readonly string[]][] {
  return commands.filter(({ words }) => words.length > 0).map(({ name, words }) => [name, words]);
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, summary, words: values, flags }) => {
    const words = name.split(' ');
    const before = words.slice(0, -1);
    const when =
      before.length === 0
        ? '__fish_use_subcommand'
        : `__fish_seen_subcommand_from ${before.join(' ')}`;
    const inside = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    return [
      `complete -c eos -n ${quoted(when)} -a ${words.at(-1)} -d ${quoted(summary)}`,
      ...(values.length > 0
        ? [`complete -c eos -f -n ${quoted(inside)} -a ${quoted(values.join(' '))}`]
        : []),
      ...flags.map((flag) => {
        const value = flag.words.length > 0 ? ` -xa ${quoted(flag.words.join(' '))}` : ' -r';
        const letter = flag.letter === undefined ? '' : ` -s ${flag.letter}`;
        return (
          `complete -c eos -n ${quoted(inside)} -l ` +
          `${flag.name}${letter}${flag.takesValue ? value : ''} -d ${quoted(flag.description)}`
        );
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}
