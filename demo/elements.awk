# The elements with an owner, of what `nft list table` prints: a line each, behind the name of its set or map.
$1 == "map" || $1 == "set" { name = $2 }
/comment "[^"]*\// {
	gsub(/^[ \t]*(elements = \{ )?|[ \t]*\}?$/, "")
	count = split($0, element, /, */)
	for (i = 1; i <= count; i++)
		if (element[i] != "")
			printf "%-13s %s\n", name, element[i]
}
