# Completion of plumb(1) for bash. `make install` puts it where bash-completion looks; by hand: . contrib/completion/plumb.bash
#
# Commands and options are what plumb itself says (--help), so that they are right for the plumb that is installed; names are of what is there.

# The commands; with a group ("network"): those of it.
_plumb_commands() {
	if [ -n "$1" ]; then plumb "$1" --help 2>/dev/null | awk -v group="$1" '$1 == "plumb" && $2 == group && $3 ~ /^[a-z]+$/ { print $3 }'
	else plumb --help 2>/dev/null | awk '/^  plumb / && $1 == "plumb" && $2 ~ /^[a-z]+$/ { print $2 }' | sort -u; fi
}

_plumb_options() { plumb $1 --help 2>/dev/null | awk '{ for (i = 1; i <= 3; i++) if ($i ~ /^--?[a-z]/) { sub(/,$/, "", $i); print $i } }'; }
_plumb_networks() { plumb network ls -q 2>/dev/null; }
_plumb_runs() { plumb ps -q $1 2>/dev/null; }
_plumb_netns() { ls /run/netns 2>/dev/null; }

# What comes behind an option that takes a value; nothing for what only the user knows. False: the option takes none.
_plumb_value() {
	case $1 in
	-n|--network|--net) _plumb_networks; printf '%s\n' host none ;;
	-d|--driver) [ "$2" = "network create" ] || return 1; printf '%s\n' bridge ptp macvlan ipvlan host none ;;
	-o|--output) [ "$1" = --output ] || [ "$2" = graph ] || { [ "$2" = "network create" ] && _plumb_value --opt "$2" "$3"; return; }; compgen -f -- "$3" ;;
	--opt) printf '%s=\n' bridge mtu isolate icc masquerade host-ip hairpin unpublished-ports vlan parent mode pool cni-version ;;
	--format) echo json ;;
	-f|--filter) [ "$1" = --filter ] || [ "$2" = "network ls" ] || return 1; printf '%s=\n' name id driver label dangling ;;
	--conf-dir|--bin-dir|--cache-dir) compgen -d -- "$3" ;;
	--from) printf '%s\n' lan host; _plumb_runs ;;
	-i) [ "$2" != run ] && [ "$2" != exec ] || return 1 ;;
	-t) [ "$2" = stop ] || return 1 ;;
	-p|--publish|--path|--ip|--ip6|--mac|--mac-address|--id|--name|--ifname|--hostname|--add-host|--network-alias|--alias|--dns|--subnet|--gateway|--ip-range|--mtu|--label|--allow-from|--time|--valid) ;;
	*) return 1 ;;
	esac
}

# Operand number $2 of a command.
_plumb_operands() {
	case $1:$2 in
	add:1|del:1|check:1|gc:1|status:1|"network connect:1"|"network disconnect:1") _plumb_networks ;;
	"network inspect":*|"network rm":*|"network remove":*|graph:*) _plumb_networks ;;
	add:2|del:2|check:2) _plumb_netns ;;
	publish:1|unpublish:1|ports:1|explain:1|"network connect:2"|"network disconnect:2") _plumb_runs; _plumb_netns ;;
	stop:*|exec:1) _plumb_runs ;;
	rm:*|logs:1) _plumb_runs -a ;;
	esac
}

_plumb() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words operands=0 i=2 from
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_plumb_commands '') --help --version" -- "$cur")
		return
	fi
	if [ "$command" = network ]; then
		if [ "$COMP_CWORD" -eq 2 ]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_plumb_commands network)" -- "$cur")
			return
		fi
		command="network ${COMP_WORDS[2]}"; i=3
	fi
	from=$i
	# the operands before this word; behind run's --, or exec's name, is a command of the user's
	while [ "$i" -lt "$COMP_CWORD" ]; do
		case ${COMP_WORDS[i]} in
		--) operands=$((operands + 100)) ;;
		-*) ! _plumb_value "${COMP_WORDS[i]}" "$command" '' >/dev/null || i=$((i + 1)) ;;
		*) operands=$((operands + 1)) ;;
		esac
		i=$((i + 1))
	done
	if { [ "$command" = run ] && [ "$operands" -gt 0 ]; } || { [ "$command" = exec ] && [ "$operands" -gt 1 ]; }; then
		mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
		return
	fi
	if [ "$COMP_CWORD" -gt "$from" ] && [[ $prev == -* ]] && words=$(_plumb_value "$prev" "$command" "$cur"); then :
	elif [[ $cur == -* ]]; then words=$(_plumb_options "$command")
	else words=$(_plumb_operands "$command" $((operands + 1)))
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}

complete -F _plumb plumb
