#!/bin/bash
# Completion of the plumb command in bash and zsh, in TAP: what is offered for a line, with the plumb that was built and networks and runs that are there.
. "$(dirname "$0")/../lib/plumb.sh"

begin() {
	own_world
	fake one two
	two 1.0.0
	export PATH=$bin:$PATH CNI_PATH=$W/bin:$bin
	conf 20-more.conflist <<<'{"cniVersion":"1.0.0","name":"more","plugins":[{"type":"one"}]}'
	add_netns box
	cat >$W/bash <<BASH
. $top/contrib/completion/plumb.bash
COMP_WORDS=("\$@"); COMP_CWORD=\$((\$# - 1)); compopt() { :; }
_plumb; printf '%s\n' "\${COMPREPLY[@]}" | sort | paste -sd' '
BASH
	# zsh's own part, what is left of the offers when the word is held against them, is played: what ends up with it is printed.
	cat >$W/zsh <<ZSH
words=("\$@") CURRENT=\$#
show() { local o; for o; do o=\${o%%:*}; [[ \$o == \$words[CURRENT]* ]] && print -r -- \$o; done }
compadd() { local suffix= list; while [[ \$1 == -* ]]; do case \$1 in -S) suffix=\$2; shift 2 ;; -a) list=\$2; show \${(P)list}; return ;; esac; done; show \${^@}\$suffix }
_describe() { show \${(P)2} }
_message() { :; }; _files() { print files; }; _command_names() { print commands; }
. $top/contrib/completion/_plumb | sort | paste -sd' '
ZSH
}

# Each line: what is offered, and for which words; "|" stands for the empty word at the end.
table='add => ad
network => net
connect create => network c
connect create disconnect inspect ls prune rm => network |
more net => status |
more net => network rm |
more => network inspect m
more net => add |
box => add net |
box => network connect net |
more net => network disconnect |
--network --network-alias => run --net
host more net none => run --network |
bridge => network create --driver b
ipvlan => network create -d ip
bridge= => network create -o b
more net => graph |
box => explain |
box => publish |
host lan => explain box --from |
box => explain --path 10.1.2.3:80 |
more net => status -h |
 => network create --subnet |
json => ps --format |
graph => gra
--from => explain box --f
--force => network rm --f
--filter --format => network ls --f'

offers() {
	local line words
	while IFS= read -r line; do
		read -ra words <<<"${line#*=> }"; [ "${words[-1]}" != '|' ] || words[-1]=''
		is "$("$@" plumb "${words[@]}")" "${line%% =>*}" "plumb ${line#*=> }"
	done
}

case_bash() {
	bash -n "$top/contrib/completion/plumb.bash" || fail "syntax"
	offers bash $W/bash <<<"$table"
	expect 0 run -d --name web -- sleep 100; expect 0 run -d --name old -- true
	until_true grep -q '"ended":[1-9]' /run/plumb/run/old/state
	is "$(bash $W/bash plumb stop '')" web "what runs"; is "$(bash $W/bash plumb rm '')" "old web" "what has run"
	local commands; commands=$(compgen -c -f -- sor | sort | paste -sd' ')
	is "$(bash $W/bash plumb exec web -- sor)" "$commands" "commands of exec"
	is "$(bash $W/bash plumb run -p 80:80 --network net -- sor)" "$commands" "commands of run"
	expect 0 rm -f web old
}

case_zsh() {
	need "$(command -v zsh || echo zsh)"
	zsh -n "$top/contrib/completion/_plumb" || fail "syntax"
	offers zsh -f $W/zsh <<<"$table"
	expect 0 run -d --name web -- sleep 100
	is "$(zsh -f $W/zsh plumb stop '')" web "what runs"; is "$(zsh -f $W/zsh plumb exec web -- sor)" "commands files" "commands"
	expect 0 rm -f web
}

. "$top/tests/lib/cases.sh"
