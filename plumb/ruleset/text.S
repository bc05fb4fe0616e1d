/* The rulesets of spec/, as they are, each ended by a zero byte. */
	.section .rodata
	.global ruleset_inet
	.type ruleset_inet, %object
ruleset_inet:
	.incbin "spec/ruleset.nft"
	.byte 0
	.size ruleset_inet, . - ruleset_inet

	.global ruleset_bridge
	.type ruleset_bridge, %object
ruleset_bridge:
	.incbin "spec/ruleset-bridge.nft"
	.byte 0
	.size ruleset_bridge, . - ruleset_bridge

	.section .note.GNU-stack, "", %progbits
