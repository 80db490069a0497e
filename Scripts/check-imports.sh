#!/usr/bin/env bash
# Holds the import rules of Package.swift: a module of Sources imports what its target lists and what comes with the
# system, nothing else; CKernels belongs to Tensors alone; and what a target lists is imported somewhere in it.
# Prints file:line of what breaks a rule, and then fails.
#   Scripts/check-imports.sh [REPOSITORY]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
swift=${SWIFT:-swift}

# One line a target: its name, its type, what it depends on.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A folder of its own: a build that runs meanwhile holds the lock of the other.
targets=$("$swift" package --scratch-path "$scratch" dump-package | awk '
    /^  "targets" : \[/ { inside = 1 }
    !inside { next }
    /"byName" : \[|"product" : \[|"target" : \[/ { takes = 1; next }
    takes && /"/ { gsub(/[ ",]/, ""); dependencies = dependencies " " $0; takes = 0; next }
    /^      "name" : / { gsub(/.*: |[",]/, ""); name = $0 }
    /^      "type" : / { gsub(/.*: |[",]/, ""); print name, $0 dependencies; dependencies = "" }')
[ -n "$targets" ] || { echo "check-imports: swift package dump-package lists no targets" >&2; exit 1; }

grep -rnE --include='*.swift' \
    '^[[:space:]]*(@[A-Za-z_]+(\([^)]*\))?[[:space:]]+)*((public|package|internal|fileprivate|private)[[:space:]]+)?import[[:space:]]' \
    Sources | awk -v targets="$targets" '
    BEGIN {
        # What comes with the toolchain or the C library.
        split("Swift Foundation FoundationEssentials FoundationNetworking Glibc Musl Darwin Dispatch Synchronization", builtin, " ")
        for (i in builtin) allowed["*", builtin[i]] = 1
        # Modules of products that are not called like them.
        split("Collections BasicContainers BitCollections DequeModule HashTreeCollections HeapModule OrderedCollections", parts, " ")
        count = split(targets, lines, "\n")
        for (i = 1; i <= count; i++) {
            n = split(lines[i], words, " ")
            known[words[1]] = 1
            for (k = 3; k <= n; k++) {
                listed[words[1], words[k]] = 1
                allowed[words[1], words[k]] = 1
                if (words[k] == "Collections")
                    for (p in parts) { allowed[words[1], parts[p]] = 1; whole[parts[p]] = "Collections" }
                if (words[k] == "CKernels" && words[1] != "Tensors" && words[2] != "test") {
                    print "Package.swift: " words[1] " lists CKernels; its loops belong to Tensors, as ops"
                    failed = 1
                }
            }
        }
    }
    {
        split($0, place, ":")
        split(place[1], folders, "/")
        module = folders[2]
        text = substr($0, length(place[1]) + length(place[2]) + 3)
        sub(/\/\/.*/, "", text)
        sub(/^.*import[ \t]+/, "", text)
        sub(/^(struct|class|enum|protocol|typealias|func|var|let)[ \t]+/, "", text)
        sub(/[ \t;.].*/, "", text)
        if (!(module in known)) {
            print place[1] ":" place[2] ": " module " is not a target of Package.swift"
            failed = 1
        } else if (!((module, text) in allowed) && !(("*", text) in allowed)) {
            print place[1] ":" place[2] ": " module " imports " text ", which Package.swift does not list for it"
            failed = 1
        }
        used[module, text] = 1
        swift[module] = 1
        if (text in whole) used[module, whole[text]] = 1
    }
    END {
        for (pair in listed) {
            split(pair, names, SUBSEP)
            # C targets include headers; a system library may be listed for another one that links it.
            if (names[1] ~ /Tests$/ || !(names[1] in swift) || (names[1], names[2]) in used || names[2] == "GRDBSQLite") continue
            print "Package.swift: " names[1] " lists " names[2] ", which nothing in it imports"
            failed = 1
        }
        exit failed
    }'
