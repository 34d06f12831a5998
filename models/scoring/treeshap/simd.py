"""SIMD vectors for compiled functions: eight float64 values that go through the same arithmetic together.

Each element is computed independently and strictly by IEEE 754, so a row has the same bits alone, among others, and on
any machine. LLVM emits one instruction for the eight where the machine has it, and two or four where it has not.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import NDArray

WIDTH = 8
_LLVM_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(64), WIDTH)
Emitting = Callable[..., Any]  # types -> the signature, and the function that emits the instructions
machine: Callable[[Emitting], Emitting] = intrinsic
_build: Any = cgutils


def aligned_vectors(count: int) -> NDArray[np.float64]:
    """An array for ``count`` vectors that starts at a cache line: a vector across two lines costs twice the time."""
    array = np.empty((count + 1) * WIDTH)
    start = -array.ctypes.data % (8 * WIDTH) // 8
    return array[start : start + count * WIDTH]


class _Vector(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"lanes{WIDTH}")


VECTOR = _Vector()


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _LLVM_VECTOR)  # type: ignore[no-untyped-call]


def _address(context: Any, builder: Any, array: Any, value: Any, place: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return builder.bitcast(_build.gep(builder, data, builder.mul(place, place.type(WIDTH))), _LLVM_VECTOR.as_pointer())


@machine
def load(typing: Any, array: Any, place: Any) -> Any:
    """Vector number ``place`` of a flat array of doubles."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], args[0], args[1]), align=8)

    return VECTOR(array, types.uintp), emit


@machine
def store(typing: Any, array: Any, place: Any, value: Any) -> Any:
    """Write a vector at number ``place`` of a flat array of doubles."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, signature.args[0], args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.uintp, VECTOR), emit


def _spread(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_LLVM_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(_LLVM_VECTOR, ir.Undefined), mask)


def _element(context: Any, builder: Any, array: Any, value: Any, place: Any, kind: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return builder.load(builder.bitcast(_build.gep(builder, data, place), kind.as_pointer()), align=8)


@machine
def load_integer(typing: Any, array: Any, place: Any) -> Any:
    """Element ``place`` of a flat array of 8-byte words as an unsigned integer; a negative place is not allowed."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _element(context, builder, signature.args[0], args[0], args[1], ir.IntType(64))

    return types.uint64(array, types.uintp), emit


@machine
def load_double(typing: Any, array: Any, place: Any) -> Any:
    """The same element as a double, by its bits, in every element of a vector."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, _element(context, builder, signature.args[0], args[0], args[1], ir.DoubleType()))

    return VECTOR(array, types.uintp), emit


@machine
def broadcast(typing: Any, value: Any) -> Any:
    """One double in every element of a vector."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return VECTOR(types.float64), emit


@machine
def select_side(typing: Any, value: Any, threshold: Any, missing: Any, left: Any, right: Any) -> Any:
    """``left`` where value <= threshold and, if ``missing`` is 1, where the value is NaN; ``right`` elsewhere."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, threshold, missing, left, right = args
        byte = ir.IntType(WIDTH)
        missing_left = builder.bitcast(builder.trunc(builder.neg(missing), byte), ir.VectorType(ir.IntType(1), WIDTH))
        is_missing = builder.and_(builder.fcmp_unordered("uno", value, value), missing_left)
        return builder.select(builder.or_(builder.fcmp_ordered("<=", value, threshold), is_missing), left, right)

    return VECTOR(VECTOR, VECTOR, types.uint64, VECTOR, VECTOR), emit


@machine
def is_positive(typing: Any, value: Any) -> Any:
    """1 where the value is above 0, else 0."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, zero = (ir.Constant(_LLVM_VECTOR, [value] * WIDTH) for value in (1.0, 0.0))
        return builder.select(builder.fcmp_ordered(">", args[0], zero), one, zero)

    return VECTOR(VECTOR), emit


@machine
def all_bits(typing: Any) -> Any:
    """All bits set, in every element."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(ir.Constant(_BITS, [-1] * WIDTH), _LLVM_VECTOR)

    return VECTOR(), emit


@machine
def clear_bits(typing: Any, bits: Any, factor: Any, cleared: Any) -> Any:
    """The bits of each element without ``cleared`` where the factor is negative (the row goes right)."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        right = builder.ashr(builder.bitcast(args[1], _BITS), ir.Constant(_BITS, [63] * WIDTH))
        mask = builder.and_(right, builder.bitcast(args[2], _BITS))
        return builder.bitcast(builder.and_(builder.bitcast(args[0], _BITS), builder.not_(mask)), _LLVM_VECTOR)

    return VECTOR(VECTOR, VECTOR, VECTOR), emit


@machine
def lowest_bit(typing: Any, bits: Any) -> Any:
    """The index of the lowest set bit of each element, as the bits of an integer."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_BITS, [_BITS, ir.IntType(1)])
        count = _build.get_or_insert_function(builder.module, kind, f"llvm.cttz.v{WIDTH}i64")
        places = builder.call(count, [builder.bitcast(args[0], _BITS), ir.Constant(ir.IntType(1), 0)])
        return builder.bitcast(places, _LLVM_VECTOR)

    return VECTOR(VECTOR), emit


@machine
def multiply_add(typing: Any, left: Any, right: Any, added: Any) -> Any:
    """left * right + added, rounded once, as IEEE 754 defines it (fused multiply-add)."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_LLVM_VECTOR, [_LLVM_VECTOR] * 3)
        return builder.call(_build.get_or_insert_function(builder.module, kind, f"llvm.fma.v{WIDTH}f64"), args)

    return VECTOR(VECTOR, VECTOR, VECTOR), emit


@machine
def prefetch(typing: Any, array: Any, place: Any) -> Any:
    """Prefetch the cache line of an array element that will be read soon; harmless beyond the end of the array."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        fetch = _build.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, keep, as_data = (ir.Constant(integer, value) for value in (0, 3, 1))
        builder.call(fetch, [builder.bitcast(_build.gep(builder, data, args[1]), byte), to_read, keep, as_data])
        return context.get_dummy_value()

    return types.void(array, types.uintp), emit


def _arithmetic(act: Any, instruction: str) -> None:
    @machine
    def both(typing: Any, left: Any, right: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args)

        return VECTOR(VECTOR, VECTOR), emit

    def chosen(left, right):  # type: ignore[no-untyped-def]  # Numba compares both signatures, names included
        return (lambda left, right: both(left, right)) if isinstance(left, _Vector) else None

    overload(act)(chosen)


for _act, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_act, _instruction)
