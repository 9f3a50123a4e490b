;; GGML's block formats, float16 and bfloat16 to float32, exact (layouts: ggml-org/ggml, ggml-common.h and
;; ggml-quants.c). Every value is scale × code + minimum, multiplied and added in float32 as ggml's plain C does.
;;
;; Each export takes $in (whole blocks), $out (float32) and $count (blocks, at least one).
(module
  (import "kernel" "memory" (memory 1))

  ;; float16 bits to float32. An exponent moved by 13 bits is 112 too small; a product by 2^112 mends it, of
  ;; subnormals too. Infinities and NaN have the largest exponent of either type.
  (func $half (param $bits i32) (result f32)
    (f32.copysign
      (select
        (f32.reinterpret_i32 (i32.or (i32.const 0x7f800000) (i32.shl (i32.and (local.get $bits) (i32.const 0x3ff)) (i32.const 13))))
        (f32.mul (f32.const 0x1p112) (f32.reinterpret_i32 (i32.shl (i32.and (local.get $bits) (i32.const 0x7fff)) (i32.const 13))))
        (i32.eq (i32.and (local.get $bits) (i32.const 0x7c00)) (i32.const 0x7c00)))
      (f32.reinterpret_i32 (i32.shl (local.get $bits) (i32.const 16)))))

  ;; The float16 at $at in all four lanes.
  (func $halves (param $at i32) (result v128)
    (f32x4.splat (call $half (i32.load16_u (local.get $at)))))

  ;; What is added where a format has no minimum: the one number that changes no sum, not even one of −0.
  (global $nothing v128 (v128.const f32x4 -0 -0 -0 -0))

  ;; Sixteen signed codes: scale × code + minimum.
  (func $write (param $out i32) (param $codes v128) (param $scale v128) (param $minimum v128)
    (local $low v128) (local $high v128)
    (local.set $low (i16x8.extend_low_i8x16_s (local.get $codes)))
    (local.set $high (i16x8.extend_high_i8x16_s (local.get $codes)))
    (v128.store offset=0 (local.get $out) (f32x4.add (local.get $minimum)
      (f32x4.mul (local.get $scale) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $low))))))
    (v128.store offset=16 (local.get $out) (f32x4.add (local.get $minimum)
      (f32x4.mul (local.get $scale) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $low))))))
    (v128.store offset=32 (local.get $out) (f32x4.add (local.get $minimum)
      (f32x4.mul (local.get $scale) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $high))))))
    (v128.store offset=48 (local.get $out) (f32x4.add (local.get $minimum)
      (f32x4.mul (local.get $scale) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $high)))))))

  (func $lower (param $pairs v128) (result v128)
    (v128.and (local.get $pairs) (i8x16.splat (i32.const 15))))

  ;; Sixteen of the fifth bits as 16 or 0: bit i of $bits for code i.
  (func $fifth (param $bits i32) (result v128)
    (v128.and
      (i8x16.eq
        (v128.and
          (i8x16.shuffle 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 (i32x4.splat (local.get $bits)) (i32x4.splat (local.get $bits)))
          (v128.const i8x16 1 2 4 8 16 32 64 -128 1 2 4 8 16 32 64 -128))
        (v128.const i8x16 1 2 4 8 16 32 64 -128 1 2 4 8 16 32 64 -128))
      (i8x16.splat (i32.const 16))))

  ;; 32 codes of 4 bits, the first half in the lower halves of the bytes at $at, and of 5 with $bits; less $middle.
  (func $pairs (param $out i32) (param $at i32) (param $bits i32) (param $middle i32) (param $scale v128) (param $minimum v128)
    (local $pairs v128)
    (local.set $pairs (v128.load (local.get $at)))
    (call $write (local.get $out)
      (i8x16.sub (v128.or (call $lower (local.get $pairs)) (call $fifth (local.get $bits))) (i8x16.splat (local.get $middle)))
      (local.get $scale) (local.get $minimum))
    (call $write (i32.add (local.get $out) (i32.const 64))
      (i8x16.sub (v128.or (i8x16.shr_u (local.get $pairs) (i32.const 4)) (call $fifth (i32.shr_u (local.get $bits) (i32.const 16)))) (i8x16.splat (local.get $middle)))
      (local.get $scale) (local.get $minimum)))

  ;; scale, 16 bytes of pairs
  (func (export "Q4_0") (param $in i32) (param $out i32) (param $count i32)
    (loop $block
      (call $pairs (local.get $out) (i32.add (local.get $in) (i32.const 2)) (i32.const 0) (i32.const 8)
        (call $halves (local.get $in)) (global.get $nothing))
      (local.set $in (i32.add (local.get $in) (i32.const 18)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; scale, minimum, 16 bytes of pairs
  (func (export "Q4_1") (param $in i32) (param $out i32) (param $count i32)
    (loop $block
      (call $pairs (local.get $out) (i32.add (local.get $in) (i32.const 4)) (i32.const 0) (i32.const 0)
        (call $halves (local.get $in)) (call $halves (i32.add (local.get $in) (i32.const 2))))
      (local.set $in (i32.add (local.get $in) (i32.const 20)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; scale, 32 fifth bits, 16 bytes of pairs
  (func (export "Q5_0") (param $in i32) (param $out i32) (param $count i32)
    (loop $block
      (call $pairs (local.get $out) (i32.add (local.get $in) (i32.const 6)) (i32.load offset=2 (local.get $in)) (i32.const 16)
        (call $halves (local.get $in)) (global.get $nothing))
      (local.set $in (i32.add (local.get $in) (i32.const 22)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; scale, minimum, 32 fifth bits, 16 bytes of pairs
  (func (export "Q5_1") (param $in i32) (param $out i32) (param $count i32)
    (loop $block
      (call $pairs (local.get $out) (i32.add (local.get $in) (i32.const 8)) (i32.load offset=4 (local.get $in)) (i32.const 0)
        (call $halves (local.get $in)) (call $halves (i32.add (local.get $in) (i32.const 2))))
      (local.set $in (i32.add (local.get $in) (i32.const 24)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; scale, 32 signed bytes
  (func (export "Q8_0") (param $in i32) (param $out i32) (param $count i32)
    (local $scale v128)
    (loop $block
      (local.set $scale (call $halves (local.get $in)))
      (call $write (local.get $out) (v128.load offset=2 (local.get $in)) (local.get $scale) (global.get $nothing))
      (call $write (i32.add (local.get $out) (i32.const 64)) (v128.load offset=18 (local.get $in)) (local.get $scale) (global.get $nothing))
      (local.set $in (i32.add (local.get $in) (i32.const 34)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; 6-bit scale of sub-block $j < 8 (ggml-quants.c, get_scale_min_k4); $at is where the twelve bytes begin.
  (func $scale6 (param $at i32) (param $j i32) (result f32)
    (local.set $at (i32.add (local.get $at) (local.get $j)))
    (f32.convert_i32_u (if (result i32) (i32.lt_u (local.get $j) (i32.const 4))
      (then (i32.and (i32.load8_u (local.get $at)) (i32.const 63)))
      (else (i32.or
        (i32.and (i32.load8_u offset=4 (local.get $at)) (i32.const 15))
        (i32.shl (i32.shr_u (i32.load8_u (i32.sub (local.get $at) (i32.const 4))) (i32.const 6)) (i32.const 4)))))))

  (func $minimum6 (param $at i32) (param $j i32) (result f32)
    (local.set $at (i32.add (local.get $at) (local.get $j)))
    (f32.convert_i32_u (if (result i32) (i32.lt_u (local.get $j) (i32.const 4))
      (then (i32.and (i32.load8_u offset=4 (local.get $at)) (i32.const 63)))
      (else (i32.or
        (i32.shr_u (i32.load8_u offset=4 (local.get $at)) (i32.const 4))
        (i32.shl (i32.shr_u (i32.load8_u (local.get $at)) (i32.const 6)) (i32.const 4)))))))

  ;; Sub-block $j of 32: its pairs at $at, its fifth bits in bit $j of the bytes at $high (the same mask everywhere:
  ;; 16 takes them, 0 leaves them).
  (func $sub_block (param $in i32) (param $out i32) (param $j i32) (param $at i32) (param $high i32) (param $mask i32) (param $of_scales f32) (param $of_minimums f32)
    (local $scale v128) (local $minimum v128) (local $half i32)
    (local.set $scale (f32x4.splat (f32.mul (local.get $of_scales)
      (call $scale6 (i32.add (local.get $in) (i32.const 4)) (local.get $j)))))
    (local.set $minimum (f32x4.splat (f32.neg (f32.mul (local.get $of_minimums)
      (call $minimum6 (i32.add (local.get $in) (i32.const 4)) (local.get $j))))))
    (local.set $half (i32.const 2))
    (loop $half_block
      (call $write (local.get $out)
        (v128.or
          (call $lower (i8x16.shr_u (v128.load (local.get $at)) (i32.shl (i32.and (local.get $j) (i32.const 1)) (i32.const 2))))
          (v128.and (i8x16.splat (local.get $mask))
            (i8x16.shl (i8x16.shr_u (v128.load (local.get $high)) (local.get $j)) (i32.const 4))))
        (local.get $scale) (local.get $minimum))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $high (i32.add (local.get $high) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 64)))
      (br_if $half_block (local.tee $half (i32.sub (local.get $half) (i32.const 1))))))

  ;; scale of scales, scale of minimums, 12 bytes of both, 128 bytes of pairs: 32 codes in lower, 32 in upper halves
  (func (export "Q4_K") (param $in i32) (param $out i32) (param $count i32)
    (local $j i32) (local $of_scales f32) (local $of_minimums f32)
    (loop $block
      (local.set $of_scales (call $half (i32.load16_u (local.get $in))))
      (local.set $of_minimums (call $half (i32.load16_u offset=2 (local.get $in))))
      (local.set $j (i32.const 0))
      (loop $sub
        (call $sub_block (local.get $in) (local.get $out) (local.get $j)
          (i32.add (i32.add (local.get $in) (i32.const 16)) (i32.shl (i32.shr_u (local.get $j) (i32.const 1)) (i32.const 5)))
          (local.get $in) (i32.const 0) (local.get $of_scales) (local.get $of_minimums))
        (local.set $out (i32.add (local.get $out) (i32.const 128)))
        (br_if $sub (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 8))))
      (local.set $in (i32.add (local.get $in) (i32.const 144)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; as Q4_K, with 32 bytes of fifth bits before the pairs: bit j for sub-block j
  (func (export "Q5_K") (param $in i32) (param $out i32) (param $count i32)
    (local $j i32) (local $of_scales f32) (local $of_minimums f32)
    (loop $block
      (local.set $of_scales (call $half (i32.load16_u (local.get $in))))
      (local.set $of_minimums (call $half (i32.load16_u offset=2 (local.get $in))))
      (local.set $j (i32.const 0))
      (loop $sub
        (call $sub_block (local.get $in) (local.get $out) (local.get $j)
          (i32.add (i32.add (local.get $in) (i32.const 48)) (i32.shl (i32.shr_u (local.get $j) (i32.const 1)) (i32.const 5)))
          (i32.add (local.get $in) (i32.const 16)) (i32.const 16) (local.get $of_scales) (local.get $of_minimums))
        (local.set $out (i32.add (local.get $out) (i32.const 128)))
        (br_if $sub (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 8))))
      (local.set $in (i32.add (local.get $in) (i32.const 176)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; 128 bytes of lower halves, 64 of upper quarters, 16 signed scales, scale of scales; sixteen codes per scale
  (func (export "Q6_K") (param $in i32) (param $out i32) (param $count i32)
    (local $k i32) (local $scale f32) (local $at i32)
    (loop $block
      (local.set $scale (call $half (i32.load16_u offset=208 (local.get $in))))
      (local.set $k (i32.const 0))
      (loop $sixteen
        ;; k = (half of the block, quarter of that, half of the quarter)
        (local.set $at (i32.add (local.get $in) (i32.shl (i32.and (local.get $k) (i32.const 1)) (i32.const 4))))
        (call $write (local.get $out)
          (i8x16.sub
            (v128.or
              (call $lower (i8x16.shr_u
                (v128.load (i32.add (local.get $at) (i32.add
                  (i32.shl (i32.shr_u (local.get $k) (i32.const 3)) (i32.const 6))
                  (i32.shl (i32.and (local.get $k) (i32.const 2)) (i32.const 4)))))
                (i32.and (local.get $k) (i32.const 4))))
              (i8x16.shl
                (v128.and (i8x16.splat (i32.const 3)) (i8x16.shr_u
                  (v128.load offset=128 (i32.add (local.get $at) (i32.shl (i32.shr_u (local.get $k) (i32.const 3)) (i32.const 5))))
                  (i32.and (local.get $k) (i32.const 6))))
                (i32.const 4)))
            (i8x16.splat (i32.const 32)))
          (f32x4.splat (f32.mul (local.get $scale) (f32.convert_i32_s (i32.load8_s offset=192 (i32.add (local.get $in) (local.get $k))))))
          (global.get $nothing))
        (local.set $out (i32.add (local.get $out) (i32.const 64)))
        (br_if $sixteen (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 16))))
      (local.set $in (i32.add (local.get $in) (i32.const 210)))
      (br_if $block (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Four at a time; up to three values after the last are read and written too. The steps are those of $half.
  (func (export "F16") (param $in i32) (param $out i32) (param $count i32)
    (local $bits v128) (local $size v128)
    (loop $four
      (local.set $bits (v128.load16x4_u (local.get $in)))
      (local.set $size (i32x4.shl (v128.and (local.get $bits) (i32x4.splat (i32.const 0x7fff))) (i32.const 13)))
      (v128.store (local.get $out)
        (v128.or
          (i32x4.shl (v128.and (local.get $bits) (i32x4.splat (i32.const 0x8000))) (i32.const 16))
          (v128.bitselect
            (v128.or (local.get $size) (i32x4.splat (i32.const 0x7f800000)))
            (f32x4.mul (local.get $size) (f32x4.splat (f32.const 0x1p112)))
            (i32x4.ge_u (local.get $size) (i32x4.splat (i32.const 0x0f800000))))))
      (local.set $in (i32.add (local.get $in) (i32.const 8)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $four (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 4))) (i32.const 0)))))

  ;; The upper half of a float32; four at a time as above.
  (func (export "BF16") (param $in i32) (param $out i32) (param $count i32)
    (loop $four
      (v128.store (local.get $out) (i32x4.shl (v128.load16x4_u (local.get $in)) (i32.const 16)))
      (local.set $in (i32.add (local.get $in) (i32.const 8)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $four (i32.gt_s (local.tee $count (i32.sub (local.get $count) (i32.const 4))) (i32.const 0))))))
