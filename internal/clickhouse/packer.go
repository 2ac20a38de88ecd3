package clickhouse

import (
	"github.com/ClickHouse/ch-go/compress"
)

// frameSize is how much goes into one compressed frame: as much as the server itself uses.
const frameSize = 1 << 20

// packer turns the parts of a block into an HTTP body and keeps its memory for the next.
type packer struct {
	writer *compress.Writer // nil for no compression
	frame  []byte
	out    []byte
}

func newPacker(c Compression) *packer {
	switch c {
	case None:
		return &packer{}
	case ZSTD:
		return &packer{writer: compress.NewWriter(compress.LevelZero, compress.ZSTD)}
	}
	return &packer{writer: compress.NewWriter(compress.LevelZero, compress.LZ4)}
}

// pack returns the body, which stays valid until the next call.
func (p *packer) pack(parts [][]byte) ([]byte, error) {
	p.out, p.frame = p.out[:0], p.frame[:0]
	for _, part := range parts {
		if p.writer == nil {
			p.out = append(p.out, part...)
			continue
		}
		if err := p.add(part); err != nil {
			return nil, err
		}
	}
	if err := p.flush(p.frame); err != nil {
		return nil, err
	}
	return p.out, nil
}

// add gathers small parts into frames and compresses large ones where they lie.
func (p *packer) add(part []byte) error {
	for len(part) > 0 {
		if len(p.frame) == 0 && len(part) >= frameSize {
			if err := p.flush(part[:frameSize]); err != nil {
				return err
			}
			part = part[frameSize:]
			continue
		}
		n := min(frameSize-len(p.frame), len(part))
		p.frame = append(p.frame, part[:n]...)
		part = part[n:]
		if len(p.frame) == frameSize {
			if err := p.flush(p.frame); err != nil {
				return err
			}
			p.frame = p.frame[:0]
		}
	}
	return nil
}

func (p *packer) flush(frame []byte) error {
	if len(frame) == 0 {
		return nil
	}
	if err := p.writer.Compress(frame); err != nil {
		return err
	}
	p.out = append(p.out, p.writer.Data...)
	return nil
}
