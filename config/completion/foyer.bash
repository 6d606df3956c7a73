# bash completion of foyer-node-agent, foyer-collector and foyer-webd
_foyer() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local words='-c --config --set --check --version --help'

	[[ $1 == *webd ]] && words+=' --render --data'
	case $previous in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -X '!*.conf' -- "$current"; compgen -d -S / -- "$current") ;;
	--render | --data) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	--set)
		local keys='mqtt.host= mqtt.port= mqtt.base= mqtt.username= mqtt.password_file= mqtt.ca_file= log.level='
		case $1 in
		*collector) keys+=' store.url= store.commit_interval= store.batch= store.raw_days= store.five_min_days=' ;;
		*webd) keys+=' store.url= http.listen= http.port= http.web= site.title= site.language=' ;;
		*node-agent) keys+=' node.name= node.label= node.state_dir= node.outbox= node.clock_rate= node.back_fill=' ;;
		esac
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -W "$keys" -- "$current")
		;;
	*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
	esac
}
complete -F _foyer foyer-node-agent foyer-collector foyer-webd
