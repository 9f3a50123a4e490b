;; The least hash of a set of 32-bit numbers under each of several hash functions: a MinHash signature.
;;
;; A function is a seed and an odd factor; its hash of x is
;;   h = (x ^ seed) * odd; h = (h ^ h >> 15) * 0x2c1b3c6d; h = h ^ h >> 13
(module
  (import "kernel" "memory" (memory 1))

  ;; $set:       numbers, of which there are a multiple of eight
  ;; $end:       where they end
  ;; $functions: seed and factor of each function, two i32
  ;; $least:     one i32 per function: the least hash so far, which this makes smaller
  (func (export "least") (param $set i32) (param $end i32) (param $functions i32) (param $least i32) (param $count i32)
    (local $at i32) (local $seed v128) (local $odd v128) (local $middle v128)
    (local $x v128) (local $y v128) (local $lowX v128) (local $lowY v128)
    (local.set $middle (v128.const i32x4 0x2c1b3c6d 0x2c1b3c6d 0x2c1b3c6d 0x2c1b3c6d))
    (loop $function
      (local.set $seed (v128.load32_splat (local.get $functions)))
      (local.set $odd (v128.load32_splat offset=4 (local.get $functions)))
      (local.set $lowX (v128.load32_splat (local.get $least)))
      (local.set $lowY (local.get $lowX))
      (local.set $at (local.get $set))
      (loop $eight
        (local.set $x (i32x4.mul (v128.xor (v128.load (local.get $at)) (local.get $seed)) (local.get $odd)))
        (local.set $y (i32x4.mul (v128.xor (v128.load offset=16 (local.get $at)) (local.get $seed)) (local.get $odd)))
        (local.set $x (i32x4.mul (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 15))) (local.get $middle)))
        (local.set $y (i32x4.mul (v128.xor (local.get $y) (i32x4.shr_u (local.get $y) (i32.const 15))) (local.get $middle)))
        (local.set $lowX (i32x4.min_u (local.get $lowX) (v128.xor (local.get $x) (i32x4.shr_u (local.get $x) (i32.const 13)))))
        (local.set $lowY (i32x4.min_u (local.get $lowY) (v128.xor (local.get $y) (i32x4.shr_u (local.get $y) (i32.const 13)))))
        (br_if $eight (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 32))) (local.get $end))))
      (local.set $lowX (i32x4.min_u (local.get $lowX) (local.get $lowY)))
      (local.set $lowX (i32x4.min_u (local.get $lowX) (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $lowX) (local.get $lowX))))
      (local.set $lowX (i32x4.min_u (local.get $lowX) (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $lowX) (local.get $lowX))))
      (i32.store (local.get $least) (i32x4.extract_lane 0 (local.get $lowX)))
      (local.set $functions (i32.add (local.get $functions) (i32.const 8)))
      (local.set $least (i32.add (local.get $least) (i32.const 4)))
      (br_if $function (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
