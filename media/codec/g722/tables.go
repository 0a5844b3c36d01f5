package g722

// The constants of the recommendation, under its own names where it has them.

// mirror is the prototype of both filter banks (table 11), one half of it: the
// other half is its mirror image.
var mirror = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

// decision are the edges of the lower quantiser's intervals, in units of the
// step over 4096 (Q6, table 14).
var decision = [30]int32{
	0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650,
	714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
}

// output6 are the values of the lower codes with all six bits (QM6, table 17);
// output4 those with the four that both sides adapt by (QM4).
var output6 = [64]int32{
	-136, -136, -136, -136, -24808, -21904, -19008, -16704,
	-14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
	-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576,
	-3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
	24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192,
	10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
	4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032,
	1688, 1360, 1040, 728, 432, 136, -432, -136,
}

var output4 = [16]int32{
	0, -20456, -12896, -8968, -6288, -4240, -2584, -1200,
	20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
}

// output2 are the values of the upper codes (QM2).
var output2 = [4]int32{-7408, -1616, 7408, 1616}

// grow4 and grow2 say how a code moves the logarithm of the step (WL by way of
// RL42, WH by way of RH42).
var (
	grow4 = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	grow2 = [4]int32{798, -214, 798, -214}
)

// antilog is one octave of the step (ILB, table 13).
var antilog = [32]int32{
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
	2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
}

// steps are all steps of both bands by the upper bits of their logarithm, so
// that no sample has to shift them into place.
var (
	lowSteps  = steps(8, lowMost)
	highSteps = steps(10, highMost)
)

// steps tabulates SCALEL or SCALEH: shift is the octave of the largest value.
func steps(shift, limit int32) (table [353]int32) {
	for i := range min(limit>>6+1, int32(len(table))) {
		octave := shift - i>>5
		if octave >= 0 {
			table[i] = antilog[i&31] >> octave << 2
		} else {
			table[i] = antilog[i&31] << -octave << 2
		}
	}
	return table
}

// lowMost and highMost are the largest logarithms of a step.
const (
	lowMost  = 18432
	highMost = 22528
)
