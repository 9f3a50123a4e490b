import { isJson, type Json } from '../../../language/host/json.js';

/** Each is compared with each. */
const MOST = 200;

/** Whether no value can fit two of the schemas: their types differ, or what a property must be that both require. */
export const areApart = (schemas: readonly unknown[]): boolean =>
  schemas.length <= MOST &&
  schemas.every((one, index) =>
    schemas.slice(index + 1).every((other) => isJson(one) && isJson(other) && differ(one, other)),
  );

function differ(one: Json, other: Json): boolean {
  const [types, otherTypes] = [typesOf(one), typesOf(other)];
  if (types !== undefined && otherTypes !== undefined && !types.some((type) => otherTypes.includes(type)))
    return true;
  const [values, otherValues] = [valuesOf(one), valuesOf(other)];
  if (values !== undefined && otherValues !== undefined)
    return !values.some((value) => otherValues.includes(value));
  const { properties, required } = one;
  const { properties: otherProperties, required: otherRequired } = other;
  if (!isJson(properties) || !isJson(otherProperties)) return false;
  if (!Array.isArray(required) || !Array.isArray(otherRequired)) return false;
  return required.some((name: string) => {
    const [property, otherProperty] = [properties[name], otherProperties[name]];
    return (
      otherRequired.includes(name) &&
      isJson(property) &&
      isJson(otherProperty) &&
      differ(property, otherProperty)
    );
  });
}

/** A whole number is a number too. */
function typesOf({ type, properties }: Json): readonly unknown[] | undefined {
  if (type === undefined) return isJson(properties) ? ['object'] : undefined;
  return (Array.isArray(type) ? type : [type]).map((name: unknown) => (name === 'integer' ? 'number' : name));
}

function valuesOf(schema: Json): readonly string[] | undefined {
  const values = 'const' in schema ? [schema['const']] : schema['enum'];
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}
