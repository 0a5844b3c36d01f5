// Package sounds holds the prompts, tones and music built into the program.
//
// A [Library] gives them as 8 kHz mono samples by name. They are embedded as
// mu-law files; each is decoded once, when first asked for, and then shared by
// all calls. README.md says how the files were made and under which terms.
//
// The names are:
//
//	digits/0 … digits/9, digits/star, digits/hash, digits/plus
//	letters/a … letters/d     the fourth column of a keypad
//	your-number-is, you-are   before a number, as *45 says it
//	goodbye
//	transfer                  asks for the number to transfer to
//	beep                      0.2 s of 1000 Hz
//	ringback                  425 Hz, 1 s on and 4 s off; loop it
//	music                     24 s that loop without a click
//	silence/1                 one second
package sounds
