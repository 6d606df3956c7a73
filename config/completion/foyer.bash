# bash completion of foyer-node-agent, foyer-collector, foyer-webd and foyerctl

# The devices of the configuration that the command line names, or of the usual one; $1 stands behind each.
_foyer_devices() {
	local file=/etc/foyer/node-agent.conf at

	for ((at = 1; at < COMP_CWORD; at++)); do
		[[ ${COMP_WORDS[at]} == -c || ${COMP_WORDS[at]} == --config ]] && file=${COMP_WORDS[at + 1]}
	done
	sed -n "s/^\[device \(.*\)\]/\1$1/p" "$file" 2>/dev/null
}

# The drivers that the program says it has.
_foyer_drivers() {
	"$1" --help 2>/dev/null | sed -n 's/^  driver = \([a-z0-9_]*\):.*/\1/p'
}

# What follows a `=`, at which bash begins a new word unless it is quoted.
_foyer_value() {
	local program=$1 key=$2 value=$3

	case $key in
	*.driver) compgen -W "$(_foyer_drivers "$program")" -- "$value" ;;
	log.level) compgen -W 'error warning info debug' -- "$value" ;;
	*.*) ;;
	*) [[ $program == *node-agent ]] && compgen -W 'on off' -- "$value" ;; # an output
	esac
}

_foyer() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} quoted

	quoted=${current#[\"\']}
	if [[ $current != "$quoted" && $quoted == *=* ]]; then # --set "device lamp.driver=re
		mapfile -t COMPREPLY < <(_foyer_value "$1" "${quoted%%=*}" "${quoted#*=}" | sed "s/^/${quoted%%=*}=/")
		return
	elif [[ $current == = && $COMP_CWORD -ge 2 ]]; then
		mapfile -t COMPREPLY < <(_foyer_value "$1" "$previous" '')
		return
	elif [[ $previous == = && $COMP_CWORD -ge 3 ]]; then
		mapfile -t COMPREPLY < <(_foyer_value "$1" "${COMP_WORDS[COMP_CWORD - 2]}" "$current")
		return
	fi
	local words='-c --config --set --check --version --help'

	[[ $1 == *webd ]] && words+=' --render --data'
	[[ $1 == *node-agent ]] && words+=' --probe --read'
	case $previous in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -X '!*.conf' -- "$current"; compgen -d -S / -- "$current") ;;
	--read) mapfile -t COMPREPLY < <(compgen -W "$(_foyer_devices)" -- "$current") ;;
	--render | --data) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	--set)
		local keys='mqtt.host= mqtt.port= mqtt.base= mqtt.username= mqtt.password_file= mqtt.ca_file= log.level='
		case $1 in
		*collector) keys+=' store.url= store.commit_interval= store.batch= store.raw_days= store.five_min_days=' ;;
		*webd) keys+=' store.url= http.listen= http.port= http.web= site.title= site.language=' ;;
		*node-agent) keys+=' node.name= node.label= node.state_dir= node.outbox= node.clock_rate= node.back_fill='
			keys+=" $(_foyer_devices '=')"
			keys+=' node.spill_after= node.outbox_disk= node.outbox_age= node.clock_wait=' ;;
		esac
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -W "$keys" -- "$current")
		;;
	*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
	esac
}
complete -F _foyer foyer-node-agent foyer-collector foyer-webd

_foyerctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word at
	local commands='backup restore check export import stats help' words='--config --store --quiet --help'

	for ((at = 1; at < COMP_CWORD; at++)); do
		word=${COMP_WORDS[at]}
		[[ " $commands " == *" $word "* ]] && command=$word && break
	done
	case $previous in
	-c | --config)
		mapfile -t COMPREPLY < <(compgen -f -X '!*.conf' -- "$current"; compgen -d -S / -- "$current")
		return
		;;
	-o | --output | --store | --site)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'csv jsonl' -- "$current")
		return
		;;
	--keep | --series | --node | --quantity | --from | --to) return ;;
	esac
	case $command in
	'') words="$commands $words --version" ;;
	backup) words+=' --output --keep --site' ;;
	restore) words+=' --site' ;;
	check) words+=' --full --mend --site' ;;
	export) words+=' --format --series --node --quantity --from --to' ;;
	import) words+=' --format --series --node --quantity --from --to --keep-going --dry-run' ;;
	stats) words+=' --json' ;;
	help) words=$commands ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	case $command in
	restore | export | import) [[ $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}
complete -F _foyerctl foyerctl
