#!/bin/sh
# Makes every file under files/ anew. Needs espeak-ng, sox (Debian packages of
# those names) and go. Run it from anywhere; README.md says what comes out.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# say NAME TEXT: speaks TEXT; gen trims and levels it into files/NAME.wav.
say() {
	mkdir -p "$work/$(dirname "$1")"
	espeak-ng -v en-gb -s 150 -g 1 -w "$work/raw.wav" "$2"
	sox -D "$work/raw.wav" -b 16 -c 1 "$work/$1.wav" rate -h 8000 highpass 120
}

n=0
for word in zero one two three four five six seven eight nine; do
	say "digits/$n" "$word"
	n=$((n + 1))
done
say digits/star "star"
say digits/hash "hash"
say digits/plus "plus"
# The letters by their names, so that they are not read as words.
say letters/a "[[eI]]"
say letters/b "[[bi:]]"
say letters/c "[[si:]]"
say letters/d "[[di:]]"
say your-number-is "your number is"
say you-are "you are"
say goodbye "goodbye"
say transfer "transfer"

go run gen/main.go "$work" files
