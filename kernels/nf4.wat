;; NF4 dequantisation: 4-bit codes to float32, 64 weights per block, exact.
;;
;; A float32 of the 16-entry code book is four bytes, so the code book is held as four byte planes, one v128 each, and
;; i8x16.swizzle looks sixteen codes up in a plane at once. Two rounds of interleaving put the bytes together again.
(module
  (import "kernel" "memory" (memory 1))

  ;; $codes:  2 codes per byte, the first in the upper half; 32 bytes per block
  ;; $absmax: one float32 per block
  ;; $out:    64 float32 per block
  ;; $planes: four planes of 16 bytes, plane b holding byte b of each code book entry
  (func (export "dequantise") (param $codes i32) (param $absmax i32) (param $out i32) (param $blocks i32) (param $planes i32)
    (local $plane0 v128) (local $plane1 v128) (local $plane2 v128) (local $plane3 v128)
    (local $byte0 v128) (local $byte1 v128) (local $byte2 v128) (local $byte3 v128)
    (local $low v128) (local $high v128) (local $scale v128)
    (local $packed v128) (local $upper v128) (local $lower v128) (local $index v128)
    (local $half i32)
    (local.set $plane0 (v128.load (local.get $planes)))
    (local.set $plane1 (v128.load offset=16 (local.get $planes)))
    (local.set $plane2 (v128.load offset=32 (local.get $planes)))
    (local.set $plane3 (v128.load offset=48 (local.get $planes)))
    (loop $block
      (local.set $scale (v128.load32_splat (local.get $absmax)))
      (local.set $half (i32.const 2))
      (loop $half_block
        (local.set $packed (v128.load (local.get $codes)))
        (local.set $upper (i8x16.shr_u (local.get $packed) (i32.const 4)))
        (local.set $lower (v128.and (local.get $packed) (v128.const i32x4 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f)))

        ;; Weights 0 to 15 of this half block
        (local.set $index (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $upper) (local.get $lower)))
        (local.set $byte0 (i8x16.swizzle (local.get $plane0) (local.get $index)))
        (local.set $byte1 (i8x16.swizzle (local.get $plane1) (local.get $index)))
        (local.set $byte2 (i8x16.swizzle (local.get $plane2) (local.get $index)))
        (local.set $byte3 (i8x16.swizzle (local.get $plane3) (local.get $index)))
        (local.set $low (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=0 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=16 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
        (local.set $low (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=32 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=48 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))

        ;; Weights 16 to 31 of this half block
        (local.set $index (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $upper) (local.get $lower)))
        (local.set $byte0 (i8x16.swizzle (local.get $plane0) (local.get $index)))
        (local.set $byte1 (i8x16.swizzle (local.get $plane1) (local.get $index)))
        (local.set $byte2 (i8x16.swizzle (local.get $plane2) (local.get $index)))
        (local.set $byte3 (i8x16.swizzle (local.get $plane3) (local.get $index)))
        (local.set $low (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=64 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=80 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))
        (local.set $low (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte0) (local.get $byte1)))
        (local.set $high (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $byte2) (local.get $byte3)))
        (v128.store offset=96 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 (local.get $low) (local.get $high))))
        (v128.store offset=112 (local.get $out)
          (f32x4.mul (local.get $scale) (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 (local.get $low) (local.get $high))))

        (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
        (local.set $out (i32.add (local.get $out) (i32.const 128)))
        (br_if $half_block (local.tee $half (i32.sub (local.get $half) (i32.const 1)))))
      (local.set $absmax (i32.add (local.get $absmax) (i32.const 4)))
      (br_if $block (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))))
