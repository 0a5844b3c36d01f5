package g711

// DecodePCMU expands mu-law bytes into dst and returns how many samples it
// wrote: the shorter of the two lengths.
func DecodePCMU(dst []int16, src []byte) int { return 0 }

// DecodePCMA expands A-law bytes into dst and returns how many samples it
// wrote: the shorter of the two lengths.
func DecodePCMA(dst []int16, src []byte) int { return 0 }

// EncodePCMU compresses samples into dst and returns how many bytes it wrote:
// the shorter of the two lengths.
func EncodePCMU(dst []byte, src []int16) int { return 0 }

// EncodePCMA compresses samples into dst and returns how many bytes it wrote:
// the shorter of the two lengths.
func EncodePCMA(dst []byte, src []int16) int { return 0 }

// PCMUToPCMA turns mu-law bytes into A-law bytes and returns how many it wrote:
// the shorter of the two lengths. dst and src may be the same slice.
func PCMUToPCMA(dst, src []byte) int { return 0 }

// PCMAToPCMU turns A-law bytes into mu-law bytes and returns how many it wrote:
// the shorter of the two lengths. dst and src may be the same slice.
func PCMAToPCMU(dst, src []byte) int { return 0 }
