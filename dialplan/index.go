package dialplan

import (
	"hash/maphash"
	"maps"
)

// shards is how many small maps an index is made of. A write copies one of them
// and the array of pointers to all: about 2 KB and, with 10,000 extensions, 40
// entries.
const shards = 256

// index is a persistent map: with and without return a new index that shares
// every shard they did not touch. Get does not allocate.
type index[K comparable, V any] struct {
	seed  maphash.Seed
	len   int
	shard [shards]map[K]V
}

func newIndex[K comparable, V any]() *index[K, V] {
	return &index[K, V]{seed: maphash.MakeSeed()}
}

func (x *index[K, V]) at(k K) int {
	return int(maphash.Comparable(x.seed, k) % shards)
}

func (x *index[K, V]) get(k K) (V, bool) {
	v, ok := x.shard[x.at(k)][k]
	return v, ok
}

// put changes x itself; for an index that nobody else has seen yet.
func (x *index[K, V]) put(k K, v V) {
	i := x.at(k)
	if x.shard[i] == nil {
		x.shard[i] = make(map[K]V)
	}
	if _, old := x.shard[i][k]; !old {
		x.len++
	}
	x.shard[i][k] = v
}

func (x *index[K, V]) with(k K, v V) *index[K, V] {
	n := *x
	i := n.at(k)
	n.shard[i] = maps.Clone(x.shard[i])
	n.put(k, v)
	return &n
}

func (x *index[K, V]) without(k K) *index[K, V] {
	if _, ok := x.get(k); !ok {
		return x
	}
	n := *x
	i := n.at(k)
	n.shard[i] = maps.Clone(x.shard[i])
	delete(n.shard[i], k)
	n.len--
	return &n
}
